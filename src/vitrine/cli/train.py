"""`vitrine train`."""

import typer


def command() -> None:
    """Fit the network."""
    from vitrine.core.params import Params
    from vitrine.stages import train

    params = Params.load()
    logged = params.model_dump(mode="json", by_alias=True)
    typer.echo(train.run(params.train, logged, params.register_.name).describe())
