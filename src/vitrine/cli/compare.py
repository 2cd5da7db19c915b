"""`vitrine compare`."""

import json
from typing import Annotated

import typer


def command(
    first: Annotated[str, typer.Argument(help="The number of a version, or an alias: challenger.")],
    second: Annotated[str, typer.Argument(help="Of the version that it is held against.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Judge two versions of the registered model on the same test images."""
    from vitrine.core.params import Params
    from vitrine.release.compare import compare_versions

    found = compare_versions(Params.load().register_, first, second)
    typer.echo(json.dumps(found.document(), indent=2) if as_json else found.describe())
