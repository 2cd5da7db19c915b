"""`vitrine rollback`."""

from typing import Annotated

import typer


def command(
    reason: Annotated[str, typer.Option("--reason", help="Why. Kept in the history.")] = "",
    service: Annotated[
        str,
        typer.Option(metavar="URL", help="A running service that must take the version up."),
    ] = "",
) -> None:
    """Put the version back into service that was there before the present one."""
    from vitrine.core.params import Params
    from vitrine.release.promote import rollback
    from vitrine.release.reconcile import reconcile

    name = Params.load().register_.name
    promoted = rollback(name, reason.strip())
    typer.echo(promoted.describe())
    typer.echo(reconcile(name, service, repackage=False).settled())
