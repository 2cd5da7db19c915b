"""The routes of the service as a Starlette app of its own, without BentoML."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from vitrine.core.errors import ImageError
from vitrine.serving.classifier import Classifier, PackagedModel
from vitrine.serving.follower import Follower, Pin
from vitrine.serving.openapi import DIGEST_HEADER, VERSION_HEADER, openapi
from vitrine.serving.schemas import Document, ModelCard, ModelName, Problem
from vitrine.serving.settings import Settings
from vitrine.serving.upload import BodyLimit, read_image

REFUSED = (HTTPException, ImageError, ClientDisconnect, Exception)


def create_app(model: PackagedModel, settings: Settings, pin: Pin | None) -> Starlette:
    """Return the app that serves a packaged model; its start-up loads and proves the bundle.

    Args:
        model: What answers first.
        settings: How.
        pin: What is followed from then on; None serves the first for ever.

    Raises:
        BundleError: At start-up: the model is damaged or does not answer as it did.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        classifier = app.state.classifier = Classifier(model.open(settings))
        app.state.workers = settings.workers
        async with _following(pin, classifier, settings):
            yield

    routes = [
        Route("/classify", _classify, methods=["POST"]),
        Route("/model", _model),
        Route("/openapi.json", _openapi),
        # In the place of what BentoML would answer there: a page that loads a tag manager from
        # outside, and a description without our routes.
        Route("/", _openapi),
        Route("/docs.json", _openapi),
    ]
    return Starlette(
        # One mount takes every path, so that unknown ones are answered by us too, in JSON.
        routes=[Mount("/", routes=routes)],
        middleware=[Middleware(BodyLimit, max_bytes=settings.max_body_bytes)],
        exception_handlers=dict.fromkeys(REFUSED, _refuse),
        lifespan=lifespan,
    )


@asynccontextmanager
async def _following(
    pin: Pin | None, classifier: Classifier, settings: Settings
) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        if pin:
            follower = Follower(pin, classifier, settings)
            # Before anything is answered: a Bento may carry an older model than is pinned.
            await anyio.to_thread.run_sync(follower.look)
            tasks.start_soon(follower.run)
        yield
        tasks.cancel_scope.cancel()


async def _classify(request: Request) -> Response:
    classifier: Classifier = request.app.state.classifier
    answer = await classifier.classify(await read_image(request))
    return _document(answer, answer.model)


async def _model(request: Request) -> Response:
    classifier: Classifier = request.app.state.classifier
    model = classifier.model
    info = model.runtime.info
    card = ModelCard(
        name=model.packaged.name,
        version=model.packaged.version,
        tag=model.packaged.tag,
        bundle_digest=info.digest,
        image=info.image,
        taxonomy=info.taxonomy,
        lineage=info.lineage,
        refused=classifier.refused,
        worker=os.getpid(),
        workers=request.app.state.workers,
    )
    return _document(card, model.name)


async def _openapi(_: Request) -> Response:
    return Response(openapi(), media_type="application/json")


async def _refuse(request: Request, error: Exception) -> Response:
    path = request.url.path
    match error:
        case HTTPException(status_code=404):
            return _problem(404, f"nothing is at {path}; /openapi.json lists what there is")
        case HTTPException(status_code=405, headers={"Allow": allowed}):
            text = f"{path} does not take {request.method}; use {allowed}"
            return _problem(405, text, error.headers)
        case HTTPException():
            return _problem(error.status_code, error.detail, error.headers)
        case ImageError():
            return _problem(422, f"the image cannot be used: {error.reason}")
        case ClientDisconnect():
            return _problem(400, "the connection was closed before the whole body had come")
    return _problem(500, "the service failed on this request; its log says why")


def _document(document: Document, model: ModelName) -> Response:
    headers = {DIGEST_HEADER: model.bundle_digest, VERSION_HEADER: model.version}
    return Response(document.model_dump_json(), headers=headers, media_type="application/json")


def _problem(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    body = Problem(error=text).model_dump_json()
    return Response(body, status, headers, "application/json")
