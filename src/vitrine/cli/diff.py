"""`vitrine diff`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitrine.core.layout import DATA, reports, scratch

if TYPE_CHECKING:
    from vitrine.quality.difference import Difference, Side

DIFFERS = 3
"""The exit status of a difference, where asked for; 1 is an error, 2 a wrong command line."""


class Format(StrEnum):
    """What is printed."""

    TEXT = "text"
    MD = "md"
    HTML = "html"
    JSON = "json"


def command(
    before: Annotated[
        str, typer.Argument(metavar="REV", help="The commit, branch or tag to compare with.")
    ] = "HEAD",
    after: Annotated[
        str | None,
        typer.Argument(metavar="REV2", help="The later one; without it, the folder data/."),
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="What to print; all are written to reports/diff/.")
    ] = Format.TEXT,
    pictures: Annotated[
        int,
        typer.Option(min=0, max=1000, help="Pictures of each kind of change; 0 reads no image."),
    ] = 24,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 3 where something differs.")
    ] = False,
) -> None:
    """Say what changed in the data between two revisions; nothing is checked out."""
    import tempfile
    from contextlib import ExitStack, closing

    from vitrine.quality.database import open_database
    from vitrine.quality.difference import AtCommit, Folder, compare, resolve

    room = scratch("diff")
    room.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        first = stack.enter_context(AtCommit(resolve(before)))
        second = (
            stack.enter_context(AtCommit(resolve(after))) if after is not None else Folder(DATA)
        )
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=room))
        connection = stack.enter_context(closing(open_database(Path(folder) / "diff.db")))
        difference = compare(connection, first, second)
        typer.echo(_write(difference, (first, second), pictures)[form])
        changed = difference.changed
    if exit_code and changed:
        raise typer.Exit(DIFFERS)


def _write(
    difference: "Difference", sides: "tuple[Side, Side]", pictures: int
) -> dict[Format, str]:
    """Write all reports; return what can be printed."""
    from vitrine.core.files import write_json, write_text
    from vitrine.core.params import Params
    from vitrine.quality.difference.markdown import markdown
    from vitrine.quality.difference.page import render
    from vitrine.quality.difference.pictures import draw
    from vitrine.quality.difference.result import CHANGES, DOCUMENT, MARKDOWN, PAGE

    folder = reports("diff")
    gallery = draw(difference, sides, Params.load().image, pictures)
    page = render(difference, gallery)
    text = markdown(difference, gallery.notes, gallery.write_sheets(folder))
    document = difference.document()
    write_text(folder / PAGE, page)
    write_text(folder / MARKDOWN, text)
    write_json(folder / DOCUMENT, document)
    difference.write_changes(folder / CHANGES)
    described = "\n".join([difference.describe(folder), *gallery.notes])
    return {
        Format.TEXT: described,
        Format.MD: text,
        Format.HTML: page,
        Format.JSON: json.dumps(document, indent=2, ensure_ascii=False),
    }
