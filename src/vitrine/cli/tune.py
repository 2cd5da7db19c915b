"""`vitrine tune`."""

from typing import Annotated

import typer


def command(
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            envvar="VITRINE_TUNE_WORKERS",
            help="How many processes of this machine train trials at the same time.",
        ),
    ] = 1,
) -> None:
    """Search better values for keys of train."""
    from vitrine.cli.loading import load_tensorflow
    from vitrine.core.params import Params
    from vitrine.stages import tune

    params = Params.load()
    if params.tune.trials and not params.train.continues:
        load_tensorflow()
    typer.echo(tune.run(params.tune, params.train, params.register_.name, workers).describe())
