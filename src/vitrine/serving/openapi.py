"""The OpenAPI document of our routes, which BentoML does not know."""

import functools
import json
from typing import Any

from pydantic.json_schema import models_json_schema

from vitrine import __version__
from vitrine.serving.schemas import Classification, Document, ModelCard, Problem

REFUSALS = {
    400: "The request holds no image.",
    413: "The body is too large.",
    415: "The content type is neither multipart/form-data nor image/*.",
    422: "The image is damaged, of an unknown format, or too large.",
}

DIGEST_HEADER = "X-Bundle-Digest"
VERSION_HEADER = "X-Model-Version"
HEADERS = {
    DIGEST_HEADER: "The SHA-256 of what was served.",
    VERSION_HEADER: "The version in the MLflow registry.",
}


@functools.cache
def openapi() -> str:
    """Return the document as JSON text."""
    documents: tuple[type[Document], ...] = (Classification, ModelCard, Problem)
    _, schemas = models_json_schema(
        [(document, "serialization") for document in documents],
        ref_template="#/components/schemas/{model}",
    )
    refusals = {str(status): _json(text, Problem) for status, text in REFUSALS.items()}
    classify = {
        "summary": "Say the style and the category of a product image.",
        "requestBody": {"required": True, "content": _image()},
        "responses": {"200": _answer("The answer.", Classification), **refusals},
    }
    model = {
        "summary": "Describe the model that answers.",
        "responses": {"200": _answer("The model.", ModelCard)},
    }
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Vitrine", "version": __version__},
            "paths": {
                "/classify": {"post": classify},
                "/model": {"get": model},
                "/livez": {"get": _probe("Say that the process lives.")},
                "/readyz": {"get": _probe("Say that the model is loaded.")},
            },
            "components": {"schemas": schemas["$defs"]},
        }
    )


def _image() -> dict[str, Any]:
    file = {"type": "string", "contentMediaType": "image/*"}
    form = {"type": "object", "properties": {"image": file}, "required": ["image"]}
    return {"multipart/form-data": {"schema": form}, "image/*": {"schema": file}}


def _answer(text: str, document: type[Document]) -> dict[str, Any]:
    headers = {
        name: {"description": about, "schema": {"type": "string"}}
        for name, about in HEADERS.items()
    }
    return {**_json(text, document), "headers": headers}


def _json(text: str, document: type[Document]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{document.__name__}"}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _probe(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": "Yes."}}}
