"""`vitrine package`."""

from typing import Annotated

import typer

NO_CHAMPION = 3
"""The exit status where there is none to package; 1 is an error, 2 a wrong command line."""


def command(
    force: Annotated[
        bool, typer.Option("--force", help="Take the champion although its gate failed.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why --force is right. Kept in the history.")
    ] = "",
    service: Annotated[
        str,
        typer.Option(metavar="URL", help="A running service that must take the version up."),
    ] = "",
) -> None:
    """Put the champion into service: check it, package it, prove it, pin it."""
    if force != bool(reason.strip()):
        raise typer.BadParameter("--force and --reason are given together")
    from vitrine.core.params import Params
    from vitrine.release.admission import override_champion
    from vitrine.release.reconcile import reconcile

    name = Params.load().register_.name
    if force:
        override_champion(name, reason.strip())
    found = reconcile(name, service, repackage=True)
    if found.state == "none":
        typer.echo(f"error: {found.text}", err=True)
        raise typer.Exit(NO_CHAMPION)
    typer.echo(found.settled())
