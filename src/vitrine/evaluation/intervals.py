"""How sure a figure is that was measured on finitely many images: the bootstrap (Efron, 1979)."""

import numpy as np
from numpy.typing import NDArray

from vitrine.evaluation.answers import HeadAnswers

PERCENTILES = (2.5, 97.5)
"""Between which a 95 % interval lies."""


def intervals(head: HeadAnswers, resamples: int, seed: int) -> dict[str, tuple[float, float]]:
    """Return 95 % intervals, (low, high), of `accuracy` and `macro_f1`.

    A resample of the images changes these figures only through its confusion matrix, whose cells
    are then multinomial: they are drawn at once, without drawing the images. For the macro F1 each
    true class is resampled by itself: else a rare class would be missing from some resamples, and
    the mean over the classes would be one over others.

    Args:
        head: At least one answer.
        resamples: How many; at least 1.
        seed: Of the drawing.
    """
    classes = len(head.classes)
    cells, counts = np.unique(head.labels * classes + head.answers, return_counts=True)
    truth, answer = np.divmod(cells, classes)
    generator = np.random.default_rng(seed)
    right = counts[truth == answer].sum()
    accuracy = generator.binomial(counts.sum(), right / counts.sum(), size=resamples)
    draws = np.empty((resamples, len(cells)), np.int64)
    for label in np.unique(truth):
        row = truth == label
        images = counts[row].sum()
        draws[:, row] = generator.multinomial(images, counts[row] / images, size=resamples)
    macro_f1 = [_macro_f1(truth, answer, draw, classes) for draw in draws]
    return {
        name: (float(low), float(high))
        for name, values in (("accuracy", accuracy / counts.sum()), ("macro_f1", macro_f1))
        for low, high in [np.percentile(values, PERCENTILES)]
    }


def _macro_f1(
    truth: NDArray[np.int64], answer: NDArray[np.int64], counts: NDArray[np.int64], classes: int
) -> float:
    def per_class(of: NDArray[np.int64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.bincount(of, weights=which, minlength=classes).astype(np.float64)

    right = per_class(truth, counts * (truth == answer))
    true, answered = per_class(truth, counts), per_class(answer, counts)
    there = true > 0
    return float((2 * right[there] / (true + answered)[there]).mean())
