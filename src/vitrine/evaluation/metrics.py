"""How good the answers of one head are.

Averages over classes ("macro") are over the classes that occur in the truth. An image whose label
is unknown counts nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from vitrine.evaluation.answers import HeadAnswers

PER_CLASS = ("precision", "recall", "f1")
"""What is measured of each class."""
LEAST_PROBABILITY = 1e-12
"""What a probability of 0 counts as in the log-loss."""


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class is recognised.

    Args:
        name: The class.
        images: How many images truly are of it.
        precision: Of the images answered so, which share is right; 0 to 1.
        recall: Of its images, which share is answered so; 0 to 1.
        f1: The harmonic mean of the two.
        confused_with: The wrong class that its images are answered as most often; empty for none.
        confused_images: How often that is.
        precision_low: Where the 95 % interval of the precision begins; None where no interval was
            drawn, as with the other five.
        precision_high: Where it ends.
        recall_low: As of the precision.
        recall_high: As of the precision.
        f1_low: As of the precision.
        f1_high: As of the precision.
    """

    name: str
    images: int
    precision: float
    recall: float
    f1: float
    confused_with: str
    confused_images: int
    precision_low: float | None = None
    precision_high: float | None = None
    recall_low: float | None = None
    recall_high: float | None = None
    f1_low: float | None = None
    f1_high: float | None = None


def class_scores(head: HeadAnswers) -> list[ClassScore]:
    """Return a score for each class that occurs in the truth, in output order."""
    present = np.unique(head.labels)
    scores = precision_recall_fscore_support(
        head.labels, head.answers, labels=present, average=None, zero_division=0
    )
    matrix = confusions(head)
    np.fill_diagonal(matrix, 0)
    return [
        ClassScore(
            name=head.classes[index],
            images=int(images),
            precision=float(precision),
            recall=float(recall),
            f1=float(f1),
            confused_with=head.classes[matrix[index].argmax()] if matrix[index].any() else "",
            confused_images=int(matrix[index].max()),
        )
        for index, precision, recall, f1, images in zip(present, *scores, strict=True)
    ]


def confusions(head: HeadAnswers) -> NDArray[np.int64]:
    """Return how many images of each class, a row each, are answered as each class, a column each.

    Of scikit-learn's function a single class, which is no fault, draws a warning.
    """
    size = len(head.classes)
    counts = np.bincount(head.labels * size + head.answers, minlength=size * size)
    return np.asarray(counts.reshape(size, size), np.int64)


def loss_measures(head: HeadAnswers) -> dict[str, float]:
    """Return `log_loss` and `brier` (Brier, 1950; 0 to 2), which judge probabilities; 0 is best.

    Args:
        head: At least one answer.
    """
    return {name: float(values.mean()) for name, values in losses(head).items()}


def losses(head: HeadAnswers) -> dict[str, NDArray[np.float64]]:
    """Return the same for each image, (n,)."""
    of_truth = head.probabilities[np.arange(len(head.labels)), head.labels]
    return {
        "log_loss": -np.log(np.maximum(of_truth, LEAST_PROBABILITY)),
        "brier": (head.probabilities**2).sum(axis=1) - 2 * of_truth + 1,
    }


def in_top3(head: HeadAnswers) -> NDArray[np.bool_]:
    """Return whether fewer than three classes are more probable than the true one, (n,)."""
    of_truth = head.probabilities[np.arange(len(head.labels)), head.labels]
    return np.asarray((head.probabilities > of_truth[:, None]).sum(axis=1) < 3)


def measures(head: HeadAnswers, scores: Sequence[ClassScore]) -> dict[str, float]:
    """Return the figures of a head by name.

    Args:
        head: At least one answer.
        scores: Of its classes.
    """
    figures = {
        "accuracy": np.mean(head.answers == head.labels),
        "top3_accuracy": in_top3(head).mean(),
        "balanced_accuracy": np.mean([score.recall for score in scores]),
        **loss_measures(head),
    }
    weights = [score.images for score in scores]
    for measure in PER_CLASS:
        values = [getattr(score, measure) for score in scores]
        figures[f"macro_{measure}"] = np.mean(values)
        figures[f"weighted_{measure}"] = np.average(values, weights=weights)
    return {name: float(value) for name, value in figures.items()}
