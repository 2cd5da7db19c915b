"""One example of each document, for the OpenAPI description."""

from typing import Any

from vitrine.serving.schemas import (
    BatchAnswer,
    Classification,
    Document,
    Embedding,
    HeatMap,
    Problem,
)

REQUEST_ID = "4f1c0b7e9d2a4c63a8e5d0f1b2c3d4e5"
MODEL = {"version": "7", "bundle_digest": "9f2c" * 16}
STYLE = {
    "label": "minimal",
    "probability": 0.91,
    "unsure": False,
    "top": [
        {"label": "minimal", "probability": 0.91, "name": {"en": "Minimal", "zh": "极简"}},
        {"label": "retro", "probability": 0.09, "name": {"en": "Retro", "zh": "复古"}},
    ],
    "probabilities": {"minimal": 0.91, "retro": 0.09},
}
CATEGORY = {
    "label": "shoes",
    "probability": 0.48,
    "unsure": True,
    "top": [
        {"label": "shoes", "probability": 0.48, "name": {"en": "Shoes", "zh": "鞋"}},
        {"label": "bags", "probability": 0.46, "name": {"en": "Bags", "zh": "包"}},
        {"label": "hats", "probability": 0.06, "name": {"en": "Hats", "zh": "帽子"}},
    ],
    "probabilities": {"bags": 0.46, "hats": 0.06, "shoes": 0.48},
}
CLASSIFICATION = {
    "request_id": REQUEST_ID,
    "style": STYLE,
    "category": CATEGORY,
    "model": MODEL,
}
UNUSABLE = (
    "the image cannot be used: SVG drawings are not read; save it as JPEG, PNG, WebP, GIF, BMP or "
    "TIFF"
)
EXAMPLES: dict[type[Document], dict[str, Any]] = {
    Classification: CLASSIFICATION,
    BatchAnswer: {
        "request_id": REQUEST_ID,
        "answers": [
            {"name": "shoe.jpg", "answer": CLASSIFICATION, "error": None},
            {"name": "logo.svg", "answer": None, "error": UNUSABLE},
        ],
    },
    Embedding: {"request_id": REQUEST_ID, "embedding": [0.12, 0.0, 1.7], "model": MODEL},
    HeatMap: {
        "request_id": REQUEST_ID,
        "head": "style",
        "label": "minimal",
        "probability": 0.91,
        "height": 2,
        "width": 3,
        "values": [[0.0, 0.25, 0.0], [0.5, 1.0, 0.125]],
        "model": MODEL,
    },
}
REFUSALS: dict[int, tuple[str, str]] = {
    400: (
        "The request holds no image, or more than one.",
        "the image is empty; send the bytes of an image file",
    ),
    401: (
        "The service asks for a key, and the request brings none that it knows.",
        "a key is needed; send yours in the header X-Api-Key",
    ),
    408: (
        "The body did not come in time.",
        "the body had not come within 10 s; send a smaller image",
    ),
    409: (
        "The model cannot explain this head.",
        "this model does not answer the style of an image",
    ),
    413: (
        "The body is too large, or it holds too many images.",
        "the body is larger than 33619968 bytes; send less at once",
    ),
    415: (
        "The body is of another type.",
        "the content type must be multipart/form-data or image/*, but is application/json; send "
        "the file as the form field 'image'",
    ),
    422: (
        "The image is damaged, of an unknown format or too large, or the query is wrong.",
        UNUSABLE,
    ),
    500: (
        "A fault of the service's own.",
        "the service failed on this request; its log says why",
    ),
    503: (
        "Too many images are waiting; `Retry-After` says when to try again, in seconds.",
        "more images wait than can be answered soon; try again in a second",
    ),
    504: ("The answer took too long.", "the answer took too long; try again later"),
}
"""By status, what it means and what the answer may say."""


def example_of(document: type[Document]) -> dict[str, Any]:
    """Return the example of a document in the form in which OpenAPI holds it; may be empty."""
    return {"example": EXAMPLES[document]} if document in EXAMPLES else {}


def refusal(status: int) -> dict[str, Any]:
    """Return an example of a refusal."""
    return Problem(error=REFUSALS[status][1], request_id=REQUEST_ID).model_dump()
