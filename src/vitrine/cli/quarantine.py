"""`vitrine quarantine`."""

from collections import Counter
from collections.abc import Sized
from typing import Annotated

import typer


def command(
    images: Annotated[
        list[str] | None,
        typer.Argument(help="With --restore: which images to take back; all without."),
    ] = None,
    check: Annotated[
        list[str] | None,
        typer.Option(help="Whose findings to set aside (again for more); all errors without."),
    ] = None,
    restore: Annotated[
        bool, typer.Option("--restore", help="Take rows back into the manifest.")
    ] = False,
) -> None:
    """Set rows that `validate` found aside in data/quarantine.csv; images are never touched."""
    from vitrine.core import layout
    from vitrine.core.manifest import Catalogue
    from vitrine.quality import quarantine
    from vitrine.quality.checks import FINDINGS

    if images and not restore:
        raise typer.BadParameter("images are named with --restore only")
    if restore and check:
        raise typer.BadParameter("--check is for setting aside, not for --restore")
    catalogue = Catalogue(layout.DATA)
    if restore:
        moved = quarantine.restore(catalogue, images or ())
        typer.echo(f"{_rows(moved.images)} taken back into {catalogue.manifest_path}.")
    else:
        findings = layout.reports("validate") / FINDINGS
        moved = quarantine.set_aside(catalogue, findings, check or ())
        typer.echo(f"{_rows(moved.images)} set aside in {catalogue.quarantine_path}.")
        for name, rows in Counter(moved.images.values()).most_common():
            typer.echo(f"  {rows:,} {name}")
    typer.echo(
        f"{moved.manifest:,} rows are in the manifest, {moved.quarantine:,} in quarantine. "
        "Go on with `dvc add data && dvc repro`."
    )


def _rows(images: Sized) -> str:
    return f"{len(images):,} row{'' if len(images) == 1 else 's'}"
