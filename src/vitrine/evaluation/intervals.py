"""How sure figures are that were measured on finitely many images: the bootstrap (Efron, 1979).

What is drawn anew are products, because the views of one are answered alike. For figures of single
classes and means over the classes they are drawn within each true class by itself: else a rare
class would be missing from some resamples, and the mean over the classes would be one over others.
Of a class with one product, nothing can be drawn that differs: its intervals are too narrow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.evaluation.answers import HeadAnswers
from vitrine.evaluation.cells import Cells
from vitrine.evaluation.clusters import interval, redrawn
from vitrine.evaluation.metrics import PER_CLASS, in_top3, losses
from vitrine.evaluation.reliability import places

Interval = tuple[float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Intervals:
    """The 95 % intervals of one head, (low, high).

    Args:
        measures: By the name of a figure.
        classes: By `precision`, `recall` and `f1`, one for each class that occurs in the truth.
    """

    measures: dict[str, Interval]
    classes: dict[str, list[Interval]]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How figures are drawn anew.

    Args:
        products: (n,) equal for views of one product.
        bins: The calibration error's intervals of confidence.
        resamples: How many; at least 1.
        seed: Of the drawing.
    """

    products: NDArray[np.int64]
    bins: int
    resamples: int
    seed: int


def intervals(head: HeadAnswers, bootstrap: Bootstrap) -> Intervals:
    """Return the 95 % intervals of all figures of a head with at least one answer.

    A resample repeats images, and so is calibrated worse than as many fresh images: the interval of
    the calibration error is moved down by the mean of that surplus.
    """
    cells = Cells.of(head.labels, head.answers)
    whole = _WholeFigures(head, bootstrap.bins, cells)
    everything = np.ones(len(head.labels), np.int64)
    one = np.zeros_like(head.labels)
    products, count, seed = bootstrap.products, bootstrap.resamples, bootstrap.seed
    drawn = [whole.figures(w) for w in redrawn(one, products, count, seed)]
    by_class = [cells.scores(w) for w in redrawn(head.labels, products, count, seed)]
    figures = {name: np.array([resample[name] for resample in drawn]) for name in drawn[0]}
    found = whole.figures(everything)["calibration_error"]
    surplus = figures["calibration_error"].mean() - found
    figures["calibration_error"] = np.maximum(figures["calibration_error"] - surplus, 0)
    classes = {name: np.stack([scores[name] for scores in by_class]) for name in PER_CLASS}
    figures |= {f"macro_{name}": values.mean(axis=1) for name, values in classes.items()}
    figures["balanced_accuracy"] = figures["macro_recall"]
    return Intervals(
        {name: interval(values) for name, values in figures.items()},
        {name: [interval(of_class) for of_class in values.T] for name, values in classes.items()},
    )


class _WholeFigures:
    """The figures of a head that are means over images, for any weights of these.

    Args:
        head: The answers.
        bins: Of the calibration error.
        cells: Of the same head.
    """

    def __init__(self, head: HeadAnswers, bins: int, cells: Cells) -> None:
        right = head.answers == head.labels
        self._means: Mapping[str, Floats] = {
            "accuracy": right.astype(np.float64),
            "top3_accuracy": in_top3(head).astype(np.float64),
            **losses(head),
        }
        self._places = places(head, bins)
        self._surplus = head.confidence - right
        self._cells = cells

    def figures(self, weights: NDArray[np.int64]) -> dict[str, float]:
        """Return the figures, when images count so often: (n,), not all 0."""
        total = weights.sum()
        figures = {name: float(weights @ values / total) for name, values in self._means.items()}
        gaps = np.bincount(self._places, weights * self._surplus)
        figures["calibration_error"] = float(np.abs(gaps).sum() / total)
        for name, scores in self._cells.scores(weights).items():
            figures[f"weighted_{name}"] = float(self._cells.true(weights) @ scores / total)
        return figures
