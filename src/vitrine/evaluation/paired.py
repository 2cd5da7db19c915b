"""How much two models differ in their answers for the same images, and how sure that is.

Views of one product are not independent: they are hard or easy together. What follows takes the
product as the unit that chance drew.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from vitrine.evaluation.cells import Cells
from vitrine.evaluation.clusters import design_effect, interval, redrawn

Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

POWER = 0.8
"""How probably a test split of the size that is asked for decides between equally good models."""
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
    one, other = (Cells.of(labels, answer) for answer in answers)
    differences = [
        one.macro_f1(weights) - other.macro_f1(weights)
        for weights in redrawn(labels, products, resamples, seed)
    ]
    alike = np.ones_like(labels)
    return Change(one.macro_f1(alike), other.macro_f1(alike), *interval(differences))
