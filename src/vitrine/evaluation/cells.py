"""Precision, recall and F1 by class, fast enough to be found anew for every resample."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a confusion matrix that are not empty, m of them.

    Args:
        truth: (m,) a cell's true class.
        answer: (m,) the class answered.
        cell: (n,) the cell of each image.
        size: More than the largest class index.
        present: The classes that occur in the truth.
    """

    truth: Integers
    answer: Integers
    cell: Integers
    size: int
    present: Integers

    @classmethod
    def of(cls, labels: Integers, answers: Integers) -> Self:
        """Return the cells of n images, at least one.

        Args:
            labels: (n,) the true classes.
            answers: (n,) the classes answered.
        """
        size = int(max(labels.max(), answers.max())) + 1
        pairs, cell = np.unique(labels * size + answers, return_inverse=True)
        truth, answer = np.divmod(pairs, size)
        return cls(truth, answer, cell, size, np.unique(truth))

    def scores(self, weights: Integers) -> dict[str, Floats]:
        """Return precision, recall and F1 of the classes present, when images count so often."""
        counts = np.bincount(self.cell, weights, len(self.truth))
        right = np.bincount(self.truth, counts * (self.truth == self.answer), self.size)
        true, answered = (
            np.bincount(of, counts, self.size)[self.present] for of in (self.truth, self.answer)
        )
        right = right[self.present]
        parts = {"precision": answered, "recall": true, "f1": (true + answered) / 2}
        return {
            name: np.divide(right, of, out=np.zeros_like(right), where=of > 0)
            for name, of in parts.items()
        }

    def macro_f1(self, weights: Integers) -> float:
        """Return the mean F1 of the classes present, when images count so often."""
        return float(self.scores(weights)["f1"].mean())

    def true(self, weights: Integers) -> Floats:
        """Return how often the classes present are true, when images count so often."""
        counts = np.bincount(self.cell, weights, len(self.truth))
        return np.asarray(np.bincount(self.truth, counts, self.size)[self.present], np.float64)
