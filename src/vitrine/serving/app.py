"""The routes of the service as a Starlette app of its own, without BentoML."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from vitrine.core.errors import ImageError
from vitrine.serving.classifier import Classifier, PackagedModel
from vitrine.serving.openapi import openapi
from vitrine.serving.schemas import Document, Problem
from vitrine.serving.settings import Settings
from vitrine.serving.upload import BodyLimit, read_image

DIGEST_HEADER = "X-Bundle-Digest"
REFUSED = (HTTPException, ImageError, ClientDisconnect, Exception)


def create_app(model: PackagedModel, settings: Settings) -> Starlette:
    """Return the app that serves a packaged model; its start-up loads and proves the bundle.

    Raises:
        BundleError: At start-up: the model is damaged or does not answer as it did.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.classifier = Classifier(model, settings)
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


async def _classify(request: Request) -> Response:
    classifier: Classifier = request.app.state.classifier
    answer = await classifier.classify(await read_image(request))
    return _document(answer, answer.model.bundle_digest)


async def _model(request: Request) -> Response:
    classifier: Classifier = request.app.state.classifier
    return _document(classifier.card, classifier.card.bundle_digest)


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


def _document(document: Document, digest: str) -> Response:
    return Response(
        document.model_dump_json(), headers={DIGEST_HEADER: digest}, media_type="application/json"
    )


def _problem(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    body = Problem(error=text).model_dump_json()
    return Response(body, status, headers, "application/json")
