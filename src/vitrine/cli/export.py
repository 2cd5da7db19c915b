"""`vitrine export`."""

import typer


def command() -> None:
    """Turn the trained model into the bundle that is measured and served."""
    from vitrine.core.params import Params
    from vitrine.stages import export

    params = Params.load()
    typer.echo(export.run(params.export, params.digest()).describe())
