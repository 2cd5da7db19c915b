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

from vitrine.core.errors import ServiceError, VitrineError
from vitrine.serving.app import create_app
from vitrine.serving.classifier import PackagedModel
from vitrine.serving.settings import Settings

NAME = "vitrine-api"
"""Not that of the Python package, which `bentoml serve vitrine:TAG` would import instead."""
ALIAS = "champion"
"""The model's name in bentofile.yaml, where its tag is pinned; a Bento carries that along."""


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
    settings = Settings.read()
    model = packaged_model()

    def prove() -> None:
        with _speaking():
            model.open(settings)

    @bentoml.asgi_app(create_app(model, settings), path="/")
    class VitrineApi:
        """Says the style and the category of product images."""

        # Tried once before any worker starts, so that a fault ends `bentoml serve` in one line.
        prove_model = bentoml.on_deployment(prove)

    return bentoml.service(
        name=NAME,
        workers=settings.workers or "cpu_count",
        traffic={"timeout": settings.timeout},
        # BentoML's own label every path ever asked for, and two servers on a machine overwrite
        # each other's.
        metrics={"enabled": False},
        tracing={"excluded_urls": ".*"},
    )(VitrineApi)


def packaged_model() -> PackagedModel:
    """Find the model that bentofile.yaml, or the Bento, pins under the alias.

    Raises:
        ServiceError: Nothing is pinned, or what is pinned is not in BentoML's store.
    """
    try:
        model = bentoml.models.get(ALIAS)
    except bentoml.exceptions.NotFound:
        raise ServiceError(
            "no packaged model to serve: bentofile.yaml pins none that is in BentoML's store; "
            "promote a version to champion, then run `vitrine package`"
        ) from None
    metadata = model.info.metadata
    if not {"name", "version"} <= metadata.keys():
        raise ServiceError(
            f"the model {model.tag} in BentoML's store was not put there by Vitrine: delete it "
            f"with `bentoml models delete {model.tag}`, then run `vitrine package`"
        )
    return PackagedModel(Path(model.path), str(model.tag), metadata["name"], metadata["version"])


@contextmanager
def _speaking() -> Iterator[None]:
    # BentoML prints its own errors as one line, and those of others as a traceback.
    try:
        yield
    except VitrineError as error:
        raise bentoml.exceptions.BentoMLException(str(error)) from None
