"""Images and what a model answers for them, column by column: what is compared."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.core.errors import DataError
from vitrine.core.taxonomy import Head


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answers for one head of one image.

    Args:
        label: The answer.
        probability: Its calibrated probability, 0 to 1.
        unsure: Whether that is below the confidence that `export` chose.
    """

    label: str
    probability: float
    unsure: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """One image.

    Args:
        answers: By head; None or left out for a head that the model has not.
        facts: What is known of the image itself, by name; None where that is unknown.
        embedding: The vector before the heads, (size,) float32.
    """

    answers: Mapping[Head, Answer | None]
    facts: Mapping[str, float | None]
    embedding: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Sample:
    """Many images, in the order in which they came, those of the reference in that of their names.

    A column holds the known values alone, so that columns differ in length.

    Args:
        images: How many images there are.
        words: By head the label answered (`style`), and whether it was sure (`style_sure`).
        numbers: By head the confidence (`style_confidence`), and each fact.
        embeddings: (n, size) float32, of the images of which they are known.
    """

    images: int
    words: dict[str, NDArray[np.str_]]
    numbers: dict[str, NDArray[np.float64]]
    embeddings: NDArray[np.float32]


def gather(observations: Iterable[Observation]) -> Sample:
    """Put images together; they may arrive as a stream.

    Raises:
        DataError: The embeddings are not all of one length.
    """
    images = 0
    words: dict[str, list[str]] = defaultdict(list)
    numbers: dict[str, list[float]] = defaultdict(list)
    embeddings: list[NDArray[np.float32]] = []
    for one in observations:
        images += 1
        for head, answer in one.answers.items():
            if answer is not None:
                words[head].append(answer.label)
                words[f"{head}_sure"].append("unsure" if answer.unsure else "sure")
                numbers[f"{head}_confidence"].append(answer.probability)
        for name, value in one.facts.items():
            if value is not None:
                numbers[name].append(value)
        if one.embedding is not None:
            embeddings.append(one.embedding)
    if len(sizes := {len(embedding) for embedding in embeddings}) > 1:
        raise DataError(
            f"embeddings of one bundle have {min(sizes)} and {max(sizes)} numbers: the prediction "
            "log is damaged; delete the lines with the wrong ones"
        )
    return Sample(
        images,
        {name: np.array(column) for name, column in words.items()},
        {name: np.array(column, np.float64) for name, column in numbers.items()},
        np.stack(embeddings) if embeddings else np.empty((0, 0), np.float32),
    )
