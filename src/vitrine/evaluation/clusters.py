"""Views of one product are answered alike: what that does to how sure a figure is.

Images of one product are no independent witnesses. A share over n images is then as uncertain as
one over n / d independent images, where d is the design effect (Kish, Survey Sampling, 1965). A
bootstrap draws products anew, not images.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

PERCENTILES = (2.5, 97.5)
"""Between which a 95 % interval lies."""
QUANTILE = float(norm.ppf(0.975))
"""How many standard errors a 95 % interval reaches to either side."""


def design_effect(residuals: NDArray[np.floating], products: NDArray[np.int64]) -> float:
    """Return how many times the variance of a mean is what independent images would give.

    It is the sum over the products of their squared summed residuals, divided by the sum of the
    squared residuals; at least 1.

    Args:
        residuals: (n,) each image's value less the mean that is expected.
        products: (n,) numbers from 0, equal for views of one product.
    """
    squares = float((residuals**2).sum())
    if squares == 0:
        return 1.0
    sums = np.bincount(products, weights=residuals)
    return max(1.0, float((sums**2).sum()) / squares)


def wilson(right: NDArray[np.bool_], products: NDArray[np.int64]) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's score (1927), (low, high).

    Args:
        right: (n,) n at least 1.
        products: (n,) numbers from 0, equal for views of one product.
    """
    share = float(right.mean())
    images = len(right) / design_effect(right - share, products)
    square = QUANTILE**2 / images
    middle = (share + square / 2) / (1 + square)
    reach = QUANTILE * np.sqrt((share * (1 - share) + square / 4) / images) / (1 + square)
    return max(0.0, float(middle - reach)), min(1.0, float(middle + reach))


def redrawn(
    strata: NDArray[np.int64], products: NDArray[np.int64], resamples: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    """Yield how often each image is in a resample, (n,), resample by resample (Efron, 1979).

    What is drawn with replacement are products, each with all its images of a stratum; and in
    every stratum by itself, so that none is missing from a resample.

    Args:
        strata: (n,) equal for images of one stratum.
        products: (n,) equal for views of one product.
        resamples: How many.
        seed: Of the drawing.
    """
    units, unit = np.unique(np.stack([strata, products]), axis=1, return_inverse=True)
    # They are sorted by stratum, so the units of one lie side by side.
    _, starts, sizes = np.unique(units[0], return_index=True, return_counts=True)
    start, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        drawn = start + (generator.random(len(start)) * size).astype(np.int64)
        yield np.bincount(drawn, minlength=len(start))[unit]


def interval(values: Sequence[float] | NDArray[np.floating]) -> tuple[float, float]:
    """Return the 95 % interval of a figure, (low, high), from its values in all resamples."""
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)
