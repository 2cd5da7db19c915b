"""The OpenAPI document of our routes, which BentoML does not know."""

import functools
import json
from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from vitrine import __version__
from vitrine.core.taxonomy import HEADS
from vitrine.serving.examples import REFUSALS, example_of, refusal
from vitrine.serving.schemas import (
    BatchAnswer,
    Classification,
    Document,
    Embedding,
    HeatMap,
    ModelCard,
    Problem,
)

DIGEST_HEADER = "X-Bundle-Digest"
VERSION_HEADER = "X-Model-Version"
ID_HEADER = "X-Request-Id"
ABOUT = {
    DIGEST_HEADER: "The SHA-256 of what was served.",
    VERSION_HEADER: "The version in the MLflow registry.",
    ID_HEADER: "The request's own, or one made here.",
    "Retry-After": "Seconds.",
}
ANSWERED = (DIGEST_HEADER, VERSION_HEADER, ID_HEADER)
"""The headers of every answer by a model."""

IMAGE = (400, 401, 408, 413, 415, 422, 500, 503, 504)
"""The statuses with which a request about an image may be refused."""
ASKED = (401, 500, 504)
"""The same for one without a body."""

Json = dict[str, Any]


@functools.cache
def openapi() -> str:
    """Return the document as JSON text."""
    documents = (Classification, BatchAnswer, HeatMap, Embedding, ModelCard, Problem)
    _, schemas = models_json_schema(
        [(document, "serialization") for document in documents],
        ref_template="#/components/schemas/{model}",
    )
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Vitrine",
            "version": __version__,
            "description": "Says the style and the category of product images. Where the service "
            "has keys, every request but those for the page and the health needs one.",
        },
        "security": [{}, {"ApiKey": []}, {"Bearer": []}],
        "paths": {**_about_images(), **_about_the_service()},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "ApiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                "Bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }
    return json.dumps(document, ensure_ascii=False)


def _about_images() -> Json:
    explained = _answer("The evidence.", HeatMap)
    explained["content"] = {"image/png": {"schema": _file("image/png")}, **explained["content"]}
    return {
        "/classify": _post(
            "Say the style and the category of a product image.",
            _image(),
            {"200": _answer("The answer.", Classification), **_refusals(IMAGE)},
        ),
        "/classify_batch": _post(
            "Say the style and the category of many images, or of each what is wrong with it.",
            _images(),
            {"200": _answer("The answers in order.", BatchAnswer), **_refusals(IMAGE)},
        ),
        "/explain": _post(
            "Show where an image speaks for an answer: as a PNG over the image as the network sees "
            "it, or as numbers.",
            _image(),
            {"200": explained, **_refusals((*IMAGE, 409))},
            parameters=[
                _parameter("head", "Whose answer.", {"enum": [*HEADS], "default": HEADS[0]}),
                _parameter("label", "For which label; by default for the answer.", {}),
                _parameter("format", "Of the answer.", {"enum": ["png", "json"], "default": "png"}),
            ],
        ),
        "/embed": _post(
            "Give an image's vector, by which alike images can be found.",
            _image(),
            {"200": _answer("The vector.", Embedding), **_refusals(IMAGE)},
        ),
    }


def _about_the_service() -> Json:
    card = {"200": _answer("The model.", ModelCard), **_refusals(ASKED)}
    text = {"200": _text("The metrics of all workers.", "text/plain"), **_refusals(ASKED)}
    page = {"200": _text("The page.", "text/html")}
    return {
        "/model": {"get": {"summary": "Describe the model that answers.", "responses": card}},
        "/metrics": {"get": {"summary": "Tell Prometheus what is counted.", "responses": text}},
        "/": {"get": {"summary": "Show a page to try it.", "security": [], "responses": page}},
        "/livez": {"get": _probe("Say that the process lives.")},
        "/readyz": {"get": _probe("Say that the model is loaded.")},
    }


def _post(summary: str, content: Json, responses: Json, **more: Any) -> Json:
    body = {"required": True, "content": content}
    return {"post": {"summary": summary, **more, "requestBody": body, "responses": responses}}


def _parameter(name: str, text: str, schema: Json) -> Json:
    return {
        "name": name,
        "in": "query",
        "description": text,
        "schema": {"type": "string", **schema},
    }


def _file(kind: str) -> Json:
    return {"type": "string", "contentMediaType": kind}


def _image() -> Json:
    file = _file("image/*")
    return {
        "multipart/form-data": {"schema": _form(file)},
        "image/*": {"schema": file},
        "application/octet-stream": {"schema": file},
    }


def _images() -> Json:
    files = {"type": "array", "minItems": 1, "items": _file("image/*")}
    return {"multipart/form-data": {"schema": _form(files)}}


def _form(image: Json) -> Json:
    return {"type": "object", "properties": {"image": image}, "required": ["image"]}


def _answer(text: str, document: type[Document]) -> Json:
    content = {"schema": _reference(document), **example_of(document)}
    return {
        "description": text,
        "headers": _headers(ANSWERED),
        "content": {"application/json": content},
    }


def _refusals(statuses: Iterable[int]) -> Json:
    return {str(status): _refused(status) for status in sorted(statuses)}


def _refused(status: int) -> Json:
    content = {"schema": _reference(Problem), "example": refusal(status)}
    return {
        "description": REFUSALS[status][0],
        "headers": _headers((ID_HEADER, "Retry-After") if status == 503 else (ID_HEADER,)),
        "content": {"application/json": content},
    }


def _headers(names: Iterable[str]) -> Json:
    return {name: {"description": ABOUT[name], "schema": {"type": "string"}} for name in names}


def _reference(document: type[Document]) -> Json:
    return {"$ref": f"#/components/schemas/{document.__name__}"}


def _text(text: str, kind: str) -> Json:
    return {"description": text, "content": {kind: {"schema": {"type": "string"}}}}


def _probe(summary: str) -> Json:
    return {"summary": summary, "security": [], "responses": {"200": {"description": "Yes."}}}
