"""`vitrine prepare`."""

import typer


def command() -> None:
    """Split, resize and shard the images."""
    from vitrine.core.params import Params
    from vitrine.stages import prepare

    params = Params.load()
    unlabelled = params.pretrain.method != "none"
    typer.echo(prepare.run(params.prepare, params.image, unlabelled=unlabelled).describe())
