"""`vitrine watch`."""

import signal
import threading
from typing import Annotated

import typer


def command(
    every: Annotated[
        float, typer.Option(min=0.5, metavar="SECONDS", help="Between two looks.")
    ] = 5.0,
    service: Annotated[
        str,
        typer.Option(metavar="URL", help="A running service that must take each version up."),
    ] = "",
    webhook: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Be woken by MLflow too, which reaches this machine there; the key of its "
            "signatures is VITRINE_WEBHOOK_SECRET.",
        ),
    ] = "",
    dispatch: Annotated[
        str,
        typer.Option(
            metavar="OWNER/REPO",
            help="Tell this repository on GitHub of each version in service, so that its "
            "workflow makes an image; the token is GITHUB_TOKEN.",
        ),
    ] = "",
) -> None:
    """Put whichever version gets the alias champion into service, until stopped."""
    from vitrine.core.params import Params
    from vitrine.release.watch import Watch

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    name = Params.load().register_.name
    typer.echo(f"watching the champion of {name}; stop with Ctrl-C")
    Watch(name, every, service, webhook, dispatch).run(typer.echo, stop)
    typer.echo("stopped")
