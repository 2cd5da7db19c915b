"""`vitrine package`."""

from typing import Annotated

import typer


def command(
    force_failed_gate: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION", help="Take the champion, this version, although its gate failed."
        ),
    ] = None,
) -> None:
    """Put the champion into BentoML's store and pin it for `bentoml serve` and `bentoml build`."""
    from vitrine.core.params import Params
    from vitrine.release.package import package

    params = Params.load()
    packaged = package(params.register_.name, force_failed_gate=force_failed_gate)
    typer.echo(packaged.describe())
