"""`vitrine tune`."""

import typer


def command() -> None:
    """Search better values for keys of train."""
    from vitrine.core.params import Params
    from vitrine.stages import tune

    params = Params.load()
    typer.echo(tune.run(params.tune, params.train, params.register_.name).describe())
