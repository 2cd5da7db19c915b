"""`vitrine evaluate`."""

import typer


def command() -> None:
    """Measure the bundle on the test split."""
    from vitrine.cli.loading import load_tensorflow
    from vitrine.core.params import Params

    params = Params.load()
    if params.evaluate.attack.images:
        load_tensorflow()
    from vitrine.stages import evaluate

    typer.echo(evaluate.run(params.evaluate).describe())
