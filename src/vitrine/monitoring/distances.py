"""How far two samples of one feature are apart, and how probable that is by chance."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

_BINS = 10
_LEAST_EXPECTED = 5.0
"""Images that chance must put into a cell for the chi-square test to be right (Cochran, 1954)."""
_REST = "rarer ones"
_NEIGHBOURS = 20
"""Images in a row that may be of one product, or of one upload."""
_STRENGTH = 0.01
"""Of the classifier's fit; more would follow the chance of a few hundred embeddings."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A label or a range of values, with its share of the reference and of the window, 0 to 1."""

    name: str
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class Difference:
    """What lies between two sides.

    Args:
        effect: How far they are apart; see `vitrine.monitoring.drift.compare`.
        p_value: The probability of at least this difference by chance, 0 to 1.
        change: What changed most, in words.
        cells: Shares on both sides.
    """

    effect: float
    p_value: float
    change: str
    cells: tuple[Cell, ...]


def compare_words(before: NDArray[np.str_], now: NDArray[np.str_]) -> Difference:
    """Compare how often labels occur, (n,) and (m,)."""
    names, sides = _one_hot(before, now)
    shares = np.stack([side.mean(axis=0) for side in sides])
    counts = shares * [[independent(side)] for side in sides]
    p_value = float(stats.chi2_contingency(counts).pvalue) if len(names) > 1 else 1.0
    cells = _cells(names, shares)
    most = max(cells, key=lambda cell: abs(cell.now - cell.before))
    change = f"{most.name} {most.before:.1%} → {most.now:.1%}"
    return Difference(float(np.abs(shares[0] - shares[1]).sum() / 2), p_value, change, cells)


def compare_numbers(before: NDArray[np.float64], now: NDArray[np.float64]) -> Difference:
    """Compare how values are distributed, (n,) and (m,)."""
    distance = float(stats.ks_2samp(before, now, method="asymp").statistic)
    n, m = (independent(stats.rankdata(side)[:, None]) for side in (before, now))
    p_value = float(stats.kstwo.sf(distance, max(1, round(n * m / (n + m)))))
    change = f"median {number(float(np.median(before)))} → {number(float(np.median(now)))}"
    return Difference(distance, p_value, change, _histogram(before, now))


def compare_embeddings(before: NDArray[np.float32], now: NDArray[np.float32]) -> Difference:
    """Let a classifier tell vectors apart, (n, size) and (m, size).

    It is fitted to every other stretch of the images and tried on the rest: what it has learned
    of a product by heart is of no use there.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    vectors = np.concatenate([before, now])
    is_now = np.repeat([False, True], [len(before), len(now)])
    place = np.concatenate([np.arange(len(before)), np.arange(len(now))])
    stretch = min(_NEIGHBOURS, len(before) // 4, len(now) // 4)
    is_train = place // stretch % 2 == 0
    regression = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=1_000)
    classifier = make_pipeline(StandardScaler(), regression)
    classifier.fit(vectors[is_train], is_now[is_train])
    scores, truth = classifier.decision_function(vectors[~is_train]), is_now[~is_train]
    auc = float(roc_auc_score(truth, scores))
    ranks = stats.rankdata(scores)[:, None]
    n, m = independent(ranks[~truth]), independent(ranks[truth])
    # The Mann-Whitney test.
    p_value = float(stats.norm.sf((auc - 0.5) / np.sqrt((n + m + 1) / (12 * n * m))))
    return Difference(auc, p_value, f"told apart in {auc:.0%} of all pairs", ())


def independent(series: NDArray[np.floating]) -> float:
    """Return how many independent images say as much as these, which may be alike in a row.

    Ten views of one product are one piece of evidence, not ten. The number is
    `n / (1 + 2 * sum of the autocorrelations)`, over the lags up to the first one at which the
    correlation is within chance (Geyer, Practical Markov chain Monte Carlo, 1992), at most 20.

    Args:
        series: (n, size), in the order in which the images came.
    """
    count = len(series)
    centred = series - series.mean(axis=0)
    total = float((centred**2).sum())
    spread = 1.0
    for lag in range(1, min(_NEIGHBOURS, count - 1) + 1):
        correlation = float((centred[lag:] * centred[:-lag]).sum()) / total if total else 0.0
        if correlation < 2 / np.sqrt(count):
            break
        spread += 2 * correlation
    return count / spread


def number(value: float) -> str:
    """Return a number with about three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _one_hot(
    before: NDArray[np.str_], now: NDArray[np.str_]
) -> tuple[list[str], list[NDArray[np.float64]]]:
    """Return the labels, the reference's most frequent ones in front, and (images, labels) a side.

    Labels that are too rare for the test are put together, at the end.
    """
    names, counts = np.unique(np.concatenate([before, now]), return_counts=True)
    smaller = min(len(before), len(now)) / (len(before) + len(now))
    rare = names[counts * smaller < _LEAST_EXPECTED]
    sides = [before, now]
    if len(rare) > 1:
        sides = [np.where(np.isin(side, rare), _REST, side) for side in sides]
    frequent = Counter(sides[0].tolist())
    shown = {name for side in sides for name in side.tolist()}
    order = sorted(shown, key=lambda name: (name == _REST, -frequent[name], name))
    return order, [(side[:, None] == np.array(order)).astype(np.float64) for side in sides]


def _histogram(before: NDArray[np.float64], now: NDArray[np.float64]) -> tuple[Cell, ...]:
    both = np.concatenate([before, now])
    low, high = np.percentile(both, (0.5, 99.5))
    edges = np.linspace(low, high, _BINS + 1) if low < high else np.array([low, low])
    names = [
        f"{number(low)} to {number(high)}" if low < high else number(low)
        for low, high in pairwise(edges)
    ]
    inner = edges[1:-1]
    counts = np.stack(
        [np.bincount(np.digitize(side, inner), minlength=len(names)) for side in (before, now)]
    )
    return _cells(names, counts / counts.sum(axis=1, keepdims=True))


def _cells(names: list[str], shares: NDArray[np.float64]) -> tuple[Cell, ...]:
    return tuple(Cell(*cell) for cell in zip(names, *shares.tolist(), strict=True))
