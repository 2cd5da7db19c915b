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
        str, typer.Option("--reason", help="Why; --force needs it. Kept in the history.")
    ] = "",
) -> None:
    """Give a version of the registered model the alias champion."""
    if force and not reason.strip():
        raise typer.BadParameter("--force needs --reason")
    from vitrine.core.params import Params
    from vitrine.release.promote import promote

    name = Params.load().register_.name
    promoted = promote(name, version, force=force, reason=reason.strip(), kind="promotion")
    typer.echo(promoted.describe())
