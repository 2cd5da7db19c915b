"""Which features of a window of a log have drifted away from the reference."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from vitrine.monitoring.distances import (
    Difference,
    compare_embeddings,
    compare_numbers,
    compare_words,
)
from vitrine.monitoring.limits import Limits
from vitrine.monitoring.sample import Sample

EMBEDDING = "embedding"

Function = Callable[[NDArray[Any], NDArray[Any]], Difference]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A feature on both sides.

    Args:
        feature: A column of `Sample`, or `EMBEDDING`.
        difference: Between the sides, its p-value adjusted for the number of features.
        limit: From which effect on it matters.
        drifted: Whether it is drift.
        before: Images of the reference.
        now: Images of the window.
    """

    feature: str
    difference: Difference
    limit: float
    drifted: bool
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class Compared:
    """What could be compared, and by feature why the others could not."""

    comparisons: list[Comparison]
    skipped: dict[str, str]

    @property
    def drifted(self) -> list[Comparison]:
        """The features that have drifted."""
        return [one for one in self.comparisons if one.drifted]


def compare(before: Sample, now: Sample, limits: Limits) -> Compared:
    """Compare every feature of two samples.

    The effect of words is the total variation distance, half the sum of the differences of the
    shares: what share of the images must get another label for both sides to be alike. That of
    numbers is the Kolmogorov-Smirnov distance, the largest difference of the cumulative shares.
    That of embeddings is the area under the ROC curve of a classifier that tells the sides apart
    (Lopez-Paz and Oquab, Revisiting classifier two-sample tests, 2017). P-values are those of the
    chi-square, the Kolmogorov-Smirnov and the Mann-Whitney test, adjusted together (Benjamini and
    Hochberg, Controlling the false discovery rate, 1995). They count images that are alike in a
    row as fewer; see `independent`.
    """
    none = np.empty(0)
    pairs: list[tuple[str, Function, NDArray[Any], NDArray[Any]]] = [
        *(
            (name, compare_words, side, now.words.get(name, none))
            for name, side in before.words.items()
        ),
        *(
            (name, compare_numbers, side, now.numbers.get(name, none))
            for name, side in before.numbers.items()
        ),
        (EMBEDDING, compare_embeddings, before.embeddings, now.embeddings),
    ]
    found: list[tuple[str, Difference, int, int]] = []
    skipped: dict[str, str] = {}
    for name, function, first, second in pairs:
        if too_few := _too_few(len(first), len(second), limits.min_images):
            skipped[name] = too_few
        else:
            found.append((name, function(first, second), len(first), len(second)))
    return Compared(_decide(found, limits), skipped)


def _too_few(before: int, now: int, least: int) -> str:
    if not now:
        return "not in the log"
    if now < least:
        return f"{now:,} images in the log, {least:,} are needed"
    if before < least:
        return f"{before:,} images in the reference, {least:,} are needed"
    return ""


def _decide(found: list[tuple[str, Difference, int, int]], limits: Limits) -> list[Comparison]:
    if not found:
        return []
    adjusted = stats.false_discovery_control([difference.p_value for _, difference, *_ in found])
    decided = []
    for (name, difference, *sizes), p in zip(found, adjusted.tolist(), strict=True):
        limit = limits.auc if name == EMBEDDING else limits.distance
        drifted = difference.effect >= limit and p < limits.chance
        decided.append(Comparison(name, replace(difference, p_value=p), limit, drifted, *sizes))
    return decided
