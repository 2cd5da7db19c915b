"""`vitrine card`."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    version: Annotated[str, typer.Argument(help="A version's number or alias.")] = "champion",
    output: Annotated[
        Path | None, typer.Option(help="Write it there; without it, it is printed.")
    ] = None,
) -> None:
    """Show a version's model card, with its gate and digests: the notes of its release."""
    from vitrine.core.files import write_text
    from vitrine.core.params import Params
    from vitrine.release.card import card

    text = card(Params.load().register_.name, version)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_text(output, text)
        typer.echo(f"the card of version {version} is in {output}")
