"""`vitrine pretrain`."""

import typer


def command() -> None:
    """Let the backbone learn from images alone, before it sees a label."""
    from vitrine.cli.loading import load_tensorflow
    from vitrine.core.params import Params
    from vitrine.stages import pretrain

    params = Params.load()
    if params.pretrain.method != "none":
        load_tensorflow()
    typer.echo(pretrain.run(params.pretrain, params.train).describe())
