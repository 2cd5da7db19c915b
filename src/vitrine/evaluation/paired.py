"""How much two models differ in their answers for the same images, and how sure that is.

Views of one product are not independent: they are hard or easy together. What follows takes the
product as the unit that chance drew.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.sparse import csr_matrix
from scipy.stats import binomtest, norm

from vitrine.evaluation.clusters import design_effect

Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

POWER = 0.8
"""How probably a test split of the size that is asked for decides between equally good models."""
CELLS = 1_000_000
"""How many weights are held at a time."""
_EDGE = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Discordance:
    """Where the first of two models is right and the second wrong, and the other way round.

    Args:
        images: How many images both answered, at least one.
        wins: Images that only the first answers rightly.
        losses: Images that only the second answers rightly.
        products_won: Products of which the first answers more images rightly.
        products_lost: Products of which the second does.
        design: By what factor the variance of the difference is larger than that of as many
            independent images, at least 1: the design effect (Kish, 1965).
    """

    images: int
    wins: int
    losses: int
    products_won: int
    products_lost: int
    design: float

    @property
    def difference(self) -> float:
        """The accuracy of the first less that of the second, -1 to 1."""
        return (self.wins - self.losses) / self.images

    def chance(self, alternative: str = "two-sided") -> float:
        """Return how probable such a difference is between equally good models, 0 to 1.

        The exact test of McNemar (1947), in which each product counts once: for the model that
        answers more of its images rightly. Without further views that is the test on images.

        Args:
            alternative: `two-sided`, or `less`: only a first model that is worse counts.
        """
        decided = self.products_won + self.products_lost
        if not decided:
            return 1.0
        return float(binomtest(self.products_won, decided, alternative=alternative).pvalue)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Return the interval of the true difference: the differences that a score test allows.

        Args:
            confidence: With which it covers the truth, 0 to 1. Each of its ends is by itself a
                bound with the confidence (1 + confidence) / 2.
        """
        z = float(norm.ppf((1 + confidence) / 2))
        return self._root(z), self._root(-z)

    def images_needed(self, margin: float, confidence: float) -> int:
        """Return how many images could show that the first is not worse by a margin.

        If the difference stays what it is, or where it is at the margin already, for two equally
        good models that disagree as often as these, with the chance `POWER`.

        Args:
            margin: Of the accuracy, 0 to 1, exclusive.
            confidence: Of the one-sided test, 0 to 1.
        """
        z, found = float(norm.ppf(confidence)), self.score(-margin)
        if found > 0:
            return ceil(self.images * (z / found) ** 2)
        disagreement = max((self.wins + self.losses) / self.images, margin)
        reach = (z + float(norm.ppf(POWER))) / margin
        return ceil(self.design * disagreement * reach**2)

    def score(self, difference: float) -> float:
        """Return the score statistic of Tango (1998, Statistics in Medicine 17:891).

        It is standard normal where the true difference is the one given: the surplus of wins over
        what that difference would make, by its standard deviation at the most likely shares under
        that difference, and by the square root of the design effect.

        Args:
            difference: Of the accuracies, -1 to 1, exclusive.
        """
        n, surplus = self.images, self.wins - self.losses
        b = self.wins + self.losses + surplus * difference - 2 * n * difference
        c = self.losses * difference * (1 - difference)
        losing = (b + sqrt(max(b * b + 8 * n * c, 0.0))) / (4 * n)
        variance = n * (2 * losing + difference * (1 - difference))
        if variance <= 0:
            return 0.0
        return (surplus - n * difference) / sqrt(variance * self.design)

    def _root(self, z: float) -> float:
        if self.score(-_EDGE) <= z:
            return -1.0
        if self.score(_EDGE) >= z:
            return 1.0
        return float(brentq(lambda difference: self.score(difference) - z, -_EDGE, _EDGE))


def discordance(first: Booleans, second: Booleans, products: Integers) -> Discordance:
    """Count where two models differ.

    Args:
        first: (n,) whether the first model answers an image rightly.
        second: The same of the second.
        products: (n,) equal numbers for views of one product.
    """
    differences = first.astype(np.int64) - second
    _, place = np.unique(products, return_inverse=True)
    sums = np.bincount(place, weights=differences)
    return Discordance(
        images=len(differences),
        wins=int((differences > 0).sum()),
        losses=int((differences < 0).sum()),
        products_won=int((sums > 0).sum()),
        products_lost=int((sums < 0).sum()),
        design=design_effect(differences.astype(np.float64), products),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of two models and the 95 % interval of its difference, first less second."""

    first: float
    second: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """What the first has more."""
        return self.first - self.second


def macro_f1_change(
    labels: Integers,
    answers: tuple[Integers, Integers],
    products: Integers,
    resamples: int,
    seed: int,
) -> Change:
    """Compare the macro F1 of two models by the paired bootstrap (Efron, 1979).

    What is drawn anew are products, within each true class by itself, so that no class vanishes
    from a resample; both models are scored on the same ones.

    Args:
        labels: (n,) the true classes.
        answers: (n,) the classes answered, by the first and by the second model.
        products: (n,) equal numbers for views of one product.
        resamples: How many, at least 1.
        seed: Of the drawing.
    """
    units, unit = np.unique(np.stack([labels, products]), axis=1, return_inverse=True)
    one, other = (_counts(labels, answer, unit) for answer in answers)
    # Sorted by their class, so each class's units lie side by side.
    _, starts, sizes = np.unique(units[0], return_index=True, return_counts=True)
    start, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    generator = np.random.default_rng(seed)
    rows = max(1, min(resamples, CELLS // len(start)))
    differences = np.concatenate(
        [
            one.macro_f1(weights) - other.macro_f1(weights)
            for first in range(0, resamples, rows)
            for weights in [_weights(start, size, min(rows, resamples - first), generator)]
        ]
    )
    low, high = np.percentile(differences, (2.5, 97.5))
    alike = np.ones((1, len(start)))
    return Change(
        float(one.macro_f1(alike)[0]), float(other.macro_f1(alike)[0]), float(low), float(high)
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    """A model's answers by unit and class: how many are right, and how many true and answered."""

    right: csr_matrix
    both: csr_matrix

    def macro_f1(self, weights: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the macro F1 for each row of weights of the units, (rows, units)."""
        f1 = 2 * (weights @ self.right) / (weights @ self.both)
        return np.asarray(f1.mean(axis=1))


def _counts(labels: Integers, answers: Integers, unit: Integers) -> _Counts:
    present, place = np.unique(labels, return_inverse=True)
    size = int(unit.max()) + 1, len(present)
    hits = labels == answers
    there = np.isin(answers, present)
    answered = np.searchsorted(present, answers[there])
    true = csr_matrix((np.ones(len(labels)), (unit, place)), size)
    given = csr_matrix((np.ones(len(answered)), (unit[there], answered)), size)
    return _Counts(csr_matrix((hits.astype(np.float64), (unit, place)), size), true + given)


def _weights(
    start: Integers, size: Integers, rows: int, generator: np.random.Generator
) -> Integers:
    """Draw, `rows` times, as many units of each class as it has; return how often each was."""
    units = len(start)
    drawn = start + (generator.random((rows, units)) * size).astype(np.int64)
    drawn += units * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units)
