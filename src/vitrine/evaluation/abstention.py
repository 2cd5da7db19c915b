"""What is left when a head may say "unsure": how many answers, and how right they are."""

from dataclasses import dataclass

import numpy as np

from vitrine.evaluation.answers import HeadAnswers

POINTS = 100
"""How many points a curve has at most."""


@dataclass(frozen=True, slots=True)
class Covered:
    """The answers at or above one confidence.

    Args:
        threshold: The confidence, 0 to 1.
        coverage: Which share of all answers they are, above 0 to 1.
        accuracy: Which share of them is right.
    """

    threshold: float
    coverage: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Abstention:
    """How a head does that is "unsure" below the bundle's threshold.

    Args:
        precision: Which share of the sure answers should be right, 0 to 1.
        threshold: The confidence below which an answer is unsure; above 1, every answer is.
        images: How many answers are sure.
        coverage: Which share of all answers these are.
        accuracy: Which share of them is right; None without any.
        curve: The same for other thresholds, the highest first; at most `POINTS`.
    """

    precision: float
    threshold: float
    images: int
    coverage: float
    accuracy: float | None
    curve: list[Covered]


def abstain(head: HeadAnswers, threshold: float, precision: float) -> Abstention:
    """Return what a threshold on the confidence leaves of a head's answers; at least one."""
    right = head.answers == head.labels
    sure = head.confidence >= threshold
    return Abstention(
        precision=precision,
        threshold=threshold,
        images=int(sure.sum()),
        coverage=float(sure.mean()),
        accuracy=float(right[sure].mean()) if sure.any() else None,
        curve=_curve(head),
    )


def _curve(head: HeadAnswers) -> list[Covered]:
    confidence = head.confidence
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    total = len(order)
    right = np.cumsum((head.answers == head.labels)[order])
    # Answers of equal confidence are kept or left together.
    ends = np.flatnonzero(np.append(falling[1:] < falling[:-1], True)) + 1
    chosen = ends[np.unique(np.linspace(0, len(ends) - 1, POINTS).round().astype(int))]
    return [
        Covered(float(falling[end - 1]), end / total, float(right[end - 1] / end))
        for end in chosen.tolist()
    ]
