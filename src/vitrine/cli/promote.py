"""`vitrine promote`."""

from typing import Annotated

import typer


def command(
    version: Annotated[
        str, typer.Argument(help="The number of a version, or an alias: challenger.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Promote although the gate did not pass it.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why --force is right; noted on the version.")
    ] = "",
) -> None:
    """Give a version of the registered model the alias champion."""
    if force != bool(reason.strip()):
        raise typer.BadParameter("--force and --reason are given together")
    from vitrine.core.params import Params
    from vitrine.release.promote import promote

    params = Params.load()
    typer.echo(promote(params.register_.name, version, reason.strip()).describe())
