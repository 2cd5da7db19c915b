"""`vitrine evaluate`."""

import typer


def command() -> None:
    """Measure the bundle on the test split."""
    from vitrine.core.params import Params
    from vitrine.stages import evaluate

    params = Params.load()
    typer.echo(evaluate.run(params.evaluate).describe())
