"""The BentoML service: what bentofile.yaml names.

`bentoml serve` and `bentoml build` ask this module for the attribute `service`. It is made at that
moment, so that they say in one line when no model is packaged, and importing has no effect.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bentoml
from bentoml._internal.resource import system_resources

from vitrine.core.errors import ServiceError, VitrineError
from vitrine.core.pin import ALIAS, BENTOFILE
from vitrine.serving.accepting import share_connections
from vitrine.serving.app import create_app
from vitrine.serving.connection import guard_connections
from vitrine.serving.counting import share_folder
from vitrine.serving.exposure import LOOPBACK, check_exposure, host_of_serve
from vitrine.serving.follower import Pin
from vitrine.serving.image import container_image
from vitrine.serving.model import PackagedModel
from vitrine.serving.prediction_log import check_log
from vitrine.serving.settings import Settings

NAME = "vitrine-api"
"""Not that of the Python package, which `bentoml serve vitrine:TAG` would import instead."""


def __getattr__(name: str) -> Any:
    """Return the service for the name `service`."""
    if name != "service":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _speaking():
        return declare()


@functools.cache
def declare() -> Any:
    """Return the BentoML service over the model that the alias names.

    Raises:
        ServiceError: That model is not in BentoML's store, or a setting is not allowed.
    """
    settings = _counted(Settings.read())
    model = packaged_model(ALIAS)
    if model is None:
        raise ServiceError(
            f"no packaged model to serve: {BENTOFILE} pins none that is in BentoML's store; "
            "promote a version to champion, then run `vitrine package`"
        )
    path = followed(settings, Path.cwd())
    pin = Pin(path, packaged_model) if path else None

    start = functools.partial(_start, settings, model)
    guard_connections()
    share_connections()

    @bentoml.asgi_app(create_app(model, settings, pin), path="/")
    class VitrineApi:
        """Says the style and the category of product images."""

        # Once, before any worker starts: a fault ends `bentoml serve` in one line.
        start_server = bentoml.on_deployment(start)

    return bentoml.service(
        name=NAME,
        image=container_image(Path.cwd()),
        workers=settings.workers,
        # After our own, which is counted and has words; BentoML's cannot be switched off.
        traffic={"timeout": settings.timeout + 1},
        # BentoML's own default is every address.
        http={"host": LOOPBACK},
        # BentoML's own label every path ever asked for, and two servers on a machine overwrite
        # each other's.
        metrics={"enabled": False},
        tracing={"excluded_urls": ".*"},
        # A line a request costs a tenth of what it takes besides decoding and inference.
        logging={"access": {"enabled": False}},
    )(VitrineApi)


def packaged_model(tag: str) -> PackagedModel | None:
    """Find the model of a tag in BentoML's store; None when it is not there.

    Args:
        tag: A tag, or the alias for what bentofile.yaml, or the Bento, pinned at the start.

    Raises:
        ServiceError: This is no tag, or Vitrine did not put the model there.
    """
    try:
        model = bentoml.models.get(tag)
    except bentoml.exceptions.NotFound:
        return None
    except (bentoml.exceptions.BentoMLException, ValueError) as error:
        raise ServiceError(f"{tag!r} is no tag of a model: {error}; correct it") from None
    metadata = model.info.metadata
    if not {"name", "version"} <= metadata.keys():
        raise ServiceError(
            f"the model {model.tag} in BentoML's store was not put there by Vitrine: delete it "
            f"with `bentoml models delete {model.tag}`, then run `vitrine package`"
        )
    return PackagedModel(Path(model.path), str(model.tag), metadata["name"], metadata["version"])


def followed(settings: Settings, folder: Path) -> Path | None:
    """Return the bentofile whose pin is followed, or None.

    Args:
        settings: They may name one, or none.
        folder: Where the service is loaded: the repository's root, or a Bento's folder of sources,
            into which BentoML moves, and where it leaves a bentofile of its own.
    """
    if settings.follow is not None:
        return Path(settings.follow) if settings.follow else None
    is_bento = folder.name == "src" and (folder.parent / "bento.yaml").is_file()
    return None if is_bento or not (folder / BENTOFILE).is_file() else folder / BENTOFILE


def _start(settings: Settings, model: PackagedModel) -> None:
    with _speaking():
        check_exposure(settings, host_of_serve())
        check_log(settings)
        model.open(settings)
        share_folder()


def _counted(settings: Settings) -> Settings:
    # Counted as BentoML would, which heeds a container's limits but keeps the number to itself.
    workers = settings.workers or max(1, int(system_resources()["cpu"]))
    return settings.model_copy(update={"workers": workers})


@contextmanager
def _speaking() -> Iterator[None]:
    # BentoML prints its own errors as one line, and those of others as a traceback.
    try:
        yield
    except VitrineError as error:
        raise bentoml.exceptions.BentoMLException(str(error)) from None
