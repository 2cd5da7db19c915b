"""`vitrine comment`."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    base: Annotated[
        str, typer.Option(metavar="REV", help="The commit to compare the figures with.")
    ],
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What `dvc repro` printed.")
    ] = None,
    link: Annotated[
        str | None, typer.Option(metavar="URL", help="The workflow run that keeps the files.")
    ] = None,
) -> None:
    """Write what a pull request should say of a retraining."""
    from vitrine.core.files import write_text
    from vitrine.core.layout import reports
    from vitrine.retraining.comment import write_comment
    from vitrine.retraining.sources import Sources

    text = write_comment(Sources.gather(base, log), link)
    write_text(reports("retrain") / "comment.md", text)
    typer.echo(text, nl=False)
