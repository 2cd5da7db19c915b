"""`vitrine train`."""

import typer


def command() -> None:
    """Fit the network."""
    from vitrine.cli.loading import load_tensorflow
    from vitrine.core.params import Params

    params = Params.load()
    load_tensorflow()
    from vitrine.stages import train

    logged = params.model_dump(mode="json", by_alias=True)
    typer.echo(train.run(params.train, logged, params.register_.name).describe())
