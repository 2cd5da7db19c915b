"""`vitrine history`."""

import json
from typing import Annotated

import typer


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Show what was in service when, who promoted it, and its figures."""
    from vitrine.core.params import Params
    from vitrine.release.history import history

    found = history(Params.load().register_.name)
    typer.echo(json.dumps(found.document(), indent=2) if as_json else found.describe())
