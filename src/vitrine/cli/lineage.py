"""`vitrine lineage`."""

import json
from typing import Annotated

import typer


def command(
    what: Annotated[
        str,
        typer.Argument(
            help="A version or its alias, a tag in BentoML's store, or the digest of a bundle."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Walk from a version, a Bento or a bundle to the training rows, and check every link."""
    from vitrine.core.errors import ReleaseError
    from vitrine.core.params import Params
    from vitrine.release.lineage import lineage

    found = lineage(Params.load().register_.name, what)
    typer.echo(json.dumps(found.document(), indent=2) if as_json else found.describe())
    if found.broken:
        names = ", ".join(link.name for link in found.broken)
        raise ReleaseError(f"the lineage is broken at {names}: see the lines with ✗")
