"""The population stability index: how far apart two samples are that were counted in cells."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

FALSE_ALARMS = 0.05
"""The chance that samples of one population raise an alarm in one of the features compared."""
_SMOOTHING = 0.5


@dataclass(frozen=True, slots=True)
class Stability:
    """How two samples differ.

    Attributes:
        psi: The population stability index, 0 (alike) or more.
        limit: What it may be.
        moved: The cell that adds most to the index, counted from 0.
        before: That cell's share of the earlier sample, 0 to 1.
        now: Its share of the present sample, 0 to 1.
    """

    psi: float
    limit: float
    moved: int
    before: float
    now: float


def compare(
    before: Sequence[int], now: Sequence[int], threshold: float, features: int
) -> Stability | None:
    """Compare two samples by how many of each fall into the same cells.

    The index is `PSI = sum((p - q) * ln(p / q))` over the cells, with p and q the shares of the
    two samples. A half is added to every count, so that an empty cell has a logarithm; a cell that
    is empty in both samples is left out. As a rule of thumb, below 0.1 nothing has changed, and
    above 0.25 much has (Siddiqi, Credit Risk Scorecards, 2006).

    Two samples of n and m from one population do not have an index of 0: over B cells it is about
    `(1/n + 1/m) * chi2(B - 1)` (Yurdakul, Statistical Properties of Population Stability Index,
    2018), so that small samples would pass any fixed threshold by chance. The limit is therefore
    the larger of the threshold and `(1/n + 1/m) * quantile(chi2(B - 1), 1 - 0.05 / features)`.

    Args:
        before: Counts of the earlier sample, a cell each.
        now: Counts of the present sample, in the same order.
        threshold: The smallest index that matters.
        features: How many comparisons share the 5 % of false alarms (Bonferroni).

    Returns:
        The comparison; None where one of the samples is empty.
    """
    n, m = sum(before), sum(now)
    if not n or not m:
        return None
    cells = [cell for cell, counts in enumerate(zip(before, now, strict=True)) if any(counts)]
    spread = _SMOOTHING * len(cells)
    parts = []
    for cell in cells:
        p = (before[cell] + _SMOOTHING) / (n + spread)
        q = (now[cell] + _SMOOTHING) / (m + spread)
        parts.append((p - q) * math.log(p / q))
    chance = (1 / n + 1 / m) * _chi_square_quantile(1 - FALSE_ALARMS / features, len(cells) - 1)
    moved = cells[parts.index(max(parts))]
    return Stability(
        math.fsum(parts), max(threshold, chance), moved, before[moved] / n, now[moved] / m
    )


def _chi_square_quantile(share: float, degrees: int) -> float:
    """Return a quantile of the chi-square distribution, right to 2.5 % from 0.95 upwards.

    `k * (1 - 2/(9k) + z * sqrt(2/(9k)))**3` with z the normal quantile (Wilson and Hilferty, The
    Distribution of Chi-Square, 1931).
    """
    if not degrees:
        return 0.0
    part = 2 / (9 * degrees)
    return float(degrees * (1 - part + NormalDist().inv_cdf(share) * math.sqrt(part)) ** 3)
