"""`vitrine register`."""

import typer


def command() -> None:
    """Judge the bundle and register it in MLflow."""
    from vitrine.core.params import Params
    from vitrine.stages import register

    params = Params.load()
    typer.echo(register.run(params.register_).describe())
