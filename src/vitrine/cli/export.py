"""`vitrine export`."""

import typer


def command() -> None:
    """Turn the trained model into the bundle that is measured and served."""
    from vitrine.cli.loading import load_tensorflow
    from vitrine.core.params import Params

    params = Params.load()
    load_tensorflow()
    from vitrine.stages import export

    typer.echo(export.run(params.export, params.digest()).describe())
