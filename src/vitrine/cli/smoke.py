"""`vitrine smoke`."""

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    image: Annotated[
        Path | None, typer.Argument(help="What to send; the first image of data/ without one.")
    ] = None,
    service: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Send the golden images of the pinned model to a service that runs there; its "
            "key, where it asks for one, is VITRINE_API_KEY.",
        ),
    ] = "",
) -> None:
    """Start bentoml serve, send it one image, show the answer, stop it; or prove a running one."""
    if service:
        if image is not None:
            raise typer.BadParameter("with --service the golden images are sent: name no image")
        from vitrine.release.smoke import prove_service

        typer.echo(prove_service(service).describe())
    else:
        _start(image)


def _start(image: Path | None) -> None:
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
