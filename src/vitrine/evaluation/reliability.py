"""Whether probabilities mean what they say: of the answers given with 80 %, are 80 % right?"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vitrine.evaluation.answers import HeadAnswers


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies in one interval.

    Args:
        low: Where the interval begins, 0 to 1, exclusive.
        high: Where it ends, inclusive.
        images: How many answers, at least one.
        confidence: Their mean confidence.
        accuracy: The share of them that is right.
    """

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


def reliability(head: HeadAnswers, bins: int) -> list[Bin]:
    """Return the answers in intervals of equal width by their confidence, empty ones left out."""
    confidence = head.confidence
    right = head.answers == head.labels
    place = places(head, bins)
    return [
        Bin(
            low=i / bins,
            high=(i + 1) / bins,
            images=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            accuracy=float(right[inside].mean()),
        )
        for i in range(bins)
        if (inside := place == i).any()
    ]


def places(head: HeadAnswers, bins: int) -> NDArray[np.int64]:
    """Return the interval that each answer's confidence lies in, (n,) 0 to bins - 1."""
    return np.clip(np.ceil(head.confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def uncalibrated(head: HeadAnswers, temperature: float) -> HeadAnswers:
    """Return the answers as they were before a temperature divided the logits.

    The calibrated probabilities are softmax(z / T), so their T-th power is proportional to
    softmax(z).
    """
    powers = head.probabilities**temperature
    return replace(head, probabilities=powers / powers.sum(axis=1, keepdims=True))


def calibration_error(bins: list[Bin]) -> float:
    """Return the expected calibration error (Naeini et al., 2015), 0 to 1; 0 is best.

    It is the difference of confidence and accuracy, averaged over the answers.
    """
    images = sum(part.images for part in bins)
    return sum(part.images * abs(part.confidence - part.accuracy) for part in bins) / images
