"""`vitrine validate`."""

import typer


def command() -> None:
    """Check every image and label of data/."""
    from vitrine.core.params import Params
    from vitrine.stages import validate

    params = Params.load()
    typer.echo(validate.run(params.validate_, params.image).describe())
