"""Refusing to serve without keys where others can reach the service."""

import ipaddress

import click
from bentoml._internal.container import BentoMLContainer

from vitrine.core.errors import ServiceError
from vitrine.serving.settings import Settings

LOOPBACK = "127.0.0.1"


def host_of_serve() -> str | None:
    """Return the address that the running `bentoml serve` will listen on.

    None when something else than that command is about to serve: what it was told is not kept.
    """
    context = click.get_current_context(silent=True)
    if context is None or "host" not in context.params:
        return None
    return context.params["host"] or str(BentoMLContainer.http.host.get())


def check_exposure(settings: Settings, host: str | None) -> None:
    """Refuse an address that others can reach, unless keys are set or none are wanted.

    Args:
        settings: With the keys, if any.
        host: The address; None = not known.

    Raises:
        ServiceError: Anyone could use the service.
    """
    if settings.keys or settings.open or (host and _is_loopback(host)):
        return
    raise ServiceError(
        f"without keys, others could use the service at {host or 'an address of its own'}: set "
        "VITRINE_SERVING_KEYS to what `vitrine key NAME` prints, listen with `bentoml serve "
        f"--host {LOOPBACK}`, or set VITRINE_SERVING_OPEN=true to let anyone in"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
