"""`vitrine affected`."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from vitrine.core.layout import reports


class Format(StrEnum):
    """What is printed."""

    TEXT = "text"
    JSON = "json"


def command(
    form: Annotated[
        Format,
        typer.Option("--format", help="What to print; reports/affected/ has the JSON."),
    ] = Format.TEXT,
) -> None:
    """Say which stages have to run again, and why; comments and duplicates do not count."""
    from vitrine.core.files import write_json
    from vitrine.retraining.affected import DOCUMENT, find_affected

    affected = find_affected()
    document = affected.document()
    write_json(reports("affected") / DOCUMENT, document)
    if form is Format.JSON:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        typer.echo(affected.describe())
