"""`vitrine train`."""

import typer


def command() -> None:
    """Fit the network."""
    from vitrine.core.params import Params
    from vitrine.stages import train

    params = Params.load()
    typer.echo(train.run(params.train).describe())
