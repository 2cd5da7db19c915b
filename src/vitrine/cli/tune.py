"""`vitrine tune`."""

import typer


def command() -> None:
    """Search better values for keys of train."""
    from vitrine.cli.loading import load_tensorflow
    from vitrine.core.params import Params
    from vitrine.stages import tune

    params = Params.load()
    if params.tune.trials and not params.train.continues:
        load_tensorflow()
    typer.echo(tune.run(params.tune, params.train, params.register_.name).describe())
