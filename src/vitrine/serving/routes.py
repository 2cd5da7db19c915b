"""What the service does at each address."""

import os
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.core.errors import ImageError
from vitrine.core.taxonomy import HEADS, Head
from vitrine.serving.answered import Answered
from vitrine.serving.engine import Engine
from vitrine.serving.heatmap import overlay
from vitrine.serving.metrics import CONTENT_TYPE, Metrics
from vitrine.serving.model import LoadedModel
from vitrine.serving.openapi import DIGEST_HEADER, VERSION_HEADER, openapi
from vitrine.serving.prediction_log import PredictionLog
from vitrine.serving.problems import slug, unusable
from vitrine.serving.schemas import (
    BatchAnswer,
    BatchItem,
    Classification,
    Computing,
    Document,
    HeadAnswer,
    ModelCard,
)
from vitrine.serving.settings import Settings
from vitrine.serving.upload import read_image, read_images
from vitrine.serving.wording import classification, embedding, heat_map, log_entry, strength

T = TypeVar("T", bound=str)

FORMATS = ("png", "json")


@dataclass(frozen=True, slots=True)
class Serving:
    """What the routes work with; the app's state has it as `serving`.

    Args:
        engine: Answers.
        metrics: Count the answers.
        settings: The service's.
        log: Keeps them.
    """

    engine: Engine
    metrics: Metrics
    settings: Settings
    log: PredictionLog


async def classify(request: Request) -> Response:
    """Answer one image."""
    serving = _serving(request)
    serving.engine.check_room()
    answered = await serving.engine.answer(await read_image(request))
    return _document(_classified(request, answered), answered.model)


async def classify_batch(request: Request) -> Response:
    """Answer or refuse each of many images."""
    serving = _serving(request)
    serving.engine.check_room()
    uploads = await read_images(request, serving.settings.max_batch_images)
    model, outcomes = await serving.engine.answer_each([upload.data for upload in uploads])
    items = [
        _item(request, upload.name, outcome)
        for upload, outcome in zip(uploads, outcomes, strict=True)
    ]
    document = BatchAnswer(request_id=request.state.request_id, answers=tuple(items))
    return _document(document, model)


async def embed(request: Request) -> Response:
    """Answer with an image's vector."""
    serving = _serving(request)
    serving.engine.check_room()
    answered = await serving.engine.answer(await read_image(request))
    return _document(embedding(answered, request.state.request_id), answered.model)


async def explain(request: Request) -> Response:
    """Answer with where an image speaks for a label."""
    serving = _serving(request)
    head = _choice(request, "head", HEADS)
    form = _choice(request, "format", FORMATS)
    serving.engine.check_room()
    answered = await serving.engine.answer(await read_image(request))
    label = _label(request, answered, head)
    values = strength(answered, head, label)
    if values is None:
        raise HTTPException(409, "this model has no heat maps: its network keeps no places apart")
    if form == "json":
        document = heat_map(answered, head, label, values, request.state.request_id)
        return _document(document, answered.model)
    picture = await serving.engine.aside(partial(overlay, answered.pixels, values))
    return Response(picture, headers=_headers(answered.model), media_type="image/png")


async def model(request: Request) -> Response:
    """Describe the model."""
    serving = _serving(request)
    present = serving.engine.model
    info = present.runtime.info
    card = ModelCard(
        name=present.packaged.name,
        version=present.name.version,
        tag=present.packaged.tag,
        bundle_digest=present.name.bundle_digest,
        image=info.image,
        taxonomy=info.taxonomy,
        thresholds=info.thresholds,
        computing=Computing(
            runtime=present.runtime.runtime,
            device=present.runtime.device,
            precision=present.runtime.precision,
            chosen=info.computing.precision,
            measured=info.computing.measured,
        ),
        explains=tuple(head for head in info.heads if f"{head}_map" in info.outputs),
        lineage=info.lineage,
        refused=serving.engine.refused,
        worker=os.getpid(),
        workers=serving.settings.workers,
    )
    return _document(card, present)


async def metrics(request: Request) -> Response:
    """Tell all that is counted."""
    text = await anyio.to_thread.run_sync(_serving(request).metrics.render)
    return Response(text, headers={"Content-Type": CONTENT_TYPE})


async def description(_: Request) -> Response:
    """Describe the routes."""
    return Response(openapi(), media_type="application/json")


def api_routes() -> list[Route]:
    """Return all routes but those of the page."""
    return [
        Route("/classify", classify, methods=["POST"]),
        Route("/classify_batch", classify_batch, methods=["POST"]),
        Route("/explain", explain, methods=["POST"]),
        Route("/embed", embed, methods=["POST"]),
        Route("/model", model),
        Route("/metrics", metrics),
        Route("/openapi.json", description),
        # In the place of what BentoML would answer there: a description without our routes.
        Route("/docs.json", description),
    ]


def _serving(request: Request) -> Serving:
    serving: Serving = request.app.state.serving
    return serving


def _choice(request: Request, name: str, choices: tuple[T, ...]) -> T:
    """Return what the query chooses; the first choice where it says nothing."""
    given = request.query_params.get(name, choices[0])
    for choice in choices:
        if choice == given:
            return choice
    raise HTTPException(422, f"{name} must be {' or '.join(choices)}, but is {given!r}")


def _label(request: Request, answered: Answered, head: Head) -> str:
    """Return the label that the query names, or else the answer."""
    taxonomy = answered.model.runtime.info.taxonomy
    names = taxonomy.names(head)
    if not names:
        raise HTTPException(409, f"this model does not answer the {head} of an image")
    label = request.query_params.get("label")
    if label is None:
        return names[int(answered.probabilities(head).argmax())]
    if label not in names:
        raise HTTPException(
            422, f"label must be a {head} that the model knows, but is {label!r}; see GET /model"
        )
    return label


def _item(request: Request, name: str, outcome: Answered | ImageError) -> BatchItem:
    if isinstance(outcome, ImageError):
        _serving(request).metrics.refused(slug(outcome))
        return BatchItem(name=name, answer=None, error=unusable(outcome))
    return BatchItem(name=name, answer=_classified(request, outcome), error=None)


def _classified(request: Request, answered: Answered) -> Classification:
    """Say what an image shows, count it and keep it in the log."""
    serving = _serving(request)
    said = classification(answered, request.state.request_id, serving.settings.top_k)
    answers: dict[Head, HeadAnswer | None] = {"style": said.style, "category": said.category}
    for head, answer in answers.items():
        if answer:
            serving.metrics.predicted(head, answer.label, answer.probability, answer.unsure)
    if serving.log.wants():
        serving.log.write(log_entry(answered, said, serving.settings))
    return said


def _document(document: Document, model: LoadedModel) -> Response:
    return Response(
        document.model_dump_json(), headers=_headers(model), media_type="application/json"
    )


def _headers(model: LoadedModel) -> dict[str, str]:
    return {DIGEST_HEADER: model.name.bundle_digest, VERSION_HEADER: model.name.version}
