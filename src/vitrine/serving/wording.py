"""The documents about one image, put together from what the engine gives."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.evidence import evidence
from vitrine.bundle.figures import DIGITS, brightness
from vitrine.core.taxonomy import Head, Label
from vitrine.serving.answered import Answered
from vitrine.serving.schemas import Classification, Embedding, HeadAnswer, HeatMap, LabelAnswer
from vitrine.serving.settings import Settings

LANGUAGES = ("en", "zh")


def classification(answered: Answered, request_id: str, top_k: int) -> Classification:
    """Say the style and the category of an image.

    Args:
        answered: The image with its answers.
        request_id: Of the request.
        top_k: How many labels are listed in order.
    """
    return Classification(
        request_id=request_id,
        style=_head_answer(answered, "style", top_k),
        category=_head_answer(answered, "category", top_k),
        model=answered.model.name,
    )


def embedding(answered: Answered, request_id: str) -> Embedding:
    """Give the vector of an image."""
    return Embedding(
        request_id=request_id,
        embedding=tuple(answered.embedding.tolist()),
        model=answered.model.name,
    )


def strength(answered: Answered, head: Head, label: str) -> NDArray[np.float32] | None:
    """Return where an image speaks for a label, (height, width), 0 to 1.

    None is returned for a network without maps.
    """
    maps = answered.maps(head)
    index = answered.model.runtime.info.taxonomy.index(head, label)
    return None if maps is None else evidence(maps, index)


def heat_map(
    answered: Answered, head: Head, label: str, values: NDArray[np.float32], request_id: str
) -> HeatMap:
    """Give the evidence for a label as numbers."""
    index = answered.model.runtime.info.taxonomy.index(head, label)
    return HeatMap(
        request_id=request_id,
        head=head,
        label=label,
        probability=round(float(answered.probabilities(head)[index]), DIGITS),
        height=values.shape[0],
        width=values.shape[1],
        values=tuple(tuple(round(value, DIGITS) for value in row) for row in values.tolist()),
        model=answered.model.name,
    )


def log_entry(answered: Answered, said: Classification, settings: Settings) -> dict[str, Any]:
    """Return what `vitrine.serving.prediction_log` keeps of an answer."""
    size = imaging.probe(answered.data, answered.model.runtime.info.image, "image")
    entry = {
        "time": time.time(),
        "request_id": said.request_id,
        **said.model.model_dump(),
        "style": _kept(said.style),
        "category": _kept(said.category),
        "bytes": len(answered.data),
        "width": size.width,
        "height": size.height,
        "brightness": brightness(answered.pixels),
    }
    if settings.log_embeddings:
        entry["embedding"] = answered.embedding
    if settings.log_images:
        entry["image"] = answered.data
    return entry


def _kept(answer: HeadAnswer | None) -> dict[str, Any] | None:
    return answer.model_dump(include={"label", "probability", "unsure"}) if answer else None


def _head_answer(answered: Answered, head: Head, top_k: int) -> HeadAnswer | None:
    info = answered.model.runtime.info
    labels = info.taxonomy.labels(head)
    if not labels:
        return None
    exact = answered.probabilities(head)
    rounded = [round(probability, DIGITS) for probability in exact.tolist()]
    order = np.argsort(-exact, kind="stable")[:top_k].tolist()
    best = order[0]
    return HeadAnswer(
        label=labels[best].name,
        probability=rounded[best],
        unsure=bool(exact[best] < info.thresholds[head]),
        top=tuple(_label_answer(labels[place], rounded[place]) for place in order),
        probabilities={
            label.name: probability for label, probability in zip(labels, rounded, strict=True)
        },
    )


def _label_answer(label: Label, probability: float) -> LabelAnswer:
    names = {language: label.text(language) for language in LANGUAGES}
    return LabelAnswer(label=label.name, probability=probability, name=names)
