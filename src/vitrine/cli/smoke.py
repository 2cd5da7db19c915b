"""`vitrine smoke`."""

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    image: Annotated[
        Path | None, typer.Argument(help="What to send; the first image of data/ without one.")
    ] = None,
) -> None:
    """Start bentoml serve, send it one image, show the answer, stop it."""
    from vitrine.core.layout import DATA
    from vitrine.core.manifest import Catalogue
    from vitrine.release.smoke import smoke

    if image is None:
        catalogue = Catalogue(DATA)
        image = catalogue.path(next(catalogue.rows()))
    answer = smoke(image)
    typer.echo(
        f"bentoml serve was ready after {answer.ready_seconds:.1f} s and answered {image} "
        f"in {answer.answer_seconds * 1000:.0f} ms:"
    )
    typer.echo(json.dumps(answer.body, indent=2, ensure_ascii=False))
