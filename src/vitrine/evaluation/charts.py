"""Charts of answers: what is taken for what, how true probabilities are, what they are good for."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from vitrine.core.taxonomy import Head
from vitrine.evaluation.abstention import Abstention
from vitrine.evaluation.answers import HeadAnswers
from vitrine.evaluation.figures import BLUE, INK, LINE, PALE, RED, look, shorten
from vitrine.evaluation.metrics import confusions
from vitrine.evaluation.reliability import Bin, calibration_error

COUNTED_CLASSES = 50
"""Up to how many classes the cells of a confusion matrix carry numbers."""

RIGHT = LinearSegmentedColormap.from_list("right", ["#ffffff", "#9ecbff", "#1f6feb", "#0b3d91"])
WRONG = LinearSegmentedColormap.from_list("wrong", ["#ffffff", "#feb2b2", "#e53e3e", "#742a2a"])


def confusion(head: HeadAnswers) -> Figure:
    """Draw the confusion matrix: a row a true class, right answers in blue, wrong ones in red.

    The shade is the share of the true class, the number the count of images. Classes that neither
    occur nor are answered are left out.
    """
    shown = np.union1d(head.labels, head.answers)
    counts = confusions(head)[np.ix_(shown, shown)]
    totals = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    names = [shorten(head.classes[index], 24) for index in shown]
    side = float(np.clip(2.2 + 0.3 * len(shown), 4, 24))
    with look():
        figure = Figure(figsize=(side, side), layout="compressed")
        axes = figure.add_subplot()
        right = np.eye(len(shown), dtype=bool)
        axes.imshow(np.ma.masked_where(~right, share), cmap=RIGHT, vmin=0, vmax=1)
        axes.imshow(np.ma.masked_where(right, share), cmap=WRONG, vmin=0, vmax=1)
        _name_cells(axes, names, totals[:, 0])
        if len(shown) <= COUNTED_CLASSES:
            _count_cells(axes, counts, share)
        axes.set(xlabel="answered", ylabel="true (images)", title=f"{head.head}: confusion")
    return figure


def _name_cells(axes: Axes, names: list[str], totals: NDArray[np.int64]) -> None:
    size = len(names)
    axes.set_xticks(range(size), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(size), [f"{name} ({n})" for name, n in zip(names, totals, strict=True)])
    axes.set_xticks(np.arange(0.5, size - 1), minor=True)
    axes.set_yticks(np.arange(0.5, size - 1), minor=True)
    axes.grid(which="minor", color=LINE, linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _count_cells(axes: Axes, counts: NDArray[np.int64], share: NDArray[np.float64]) -> None:
    for row, column in np.argwhere(counts):
        axes.text(
            column,
            row,
            str(counts[row, column]),
            ha="center",
            va="center",
            fontsize=7,
            color="white" if share[row, column] > 0.5 else INK,
        )


def reliability_diagram(
    heads: Mapping[Head, list[Bin]], before: Mapping[Head, list[Bin]]
) -> Figure:
    """Draw for each head accuracy over confidence and, below, how the confidence is spread.

    Args:
        heads: The answers by their confidence.
        before: The same before temperature scaling; drawn pale.
    """
    with look():
        figure = Figure(figsize=(4.2 * len(heads), 4.8), layout="constrained")
        grid = figure.subplots(
            2, len(heads), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 1)
        )
        for (name, bins), (upper, lower) in zip(heads.items(), grid.T, strict=True):
            _accuracy_over_confidence(upper, bins, before[name])
            upper.set_title(name)
            _answers_over_confidence(lower, bins)
        grid[0, 0].set_ylabel("accuracy")
        grid[1, 0].set_ylabel("share of answers")
    return figure


def _accuracy_over_confidence(axes: Axes, bins: list[Bin], before: list[Bin]) -> None:
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=1, linestyle=(0, (4, 3)))
    for name, part, color in (("before", before, PALE), ("after", bins, BLUE)):
        confidence, accuracy = [b.confidence for b in part], [b.accuracy for b in part]
        most = max(b.images for b in part)
        sizes = [12 + 90 * b.images / most for b in part]
        label = f"{name} calibration: error {calibration_error(part):.1%}"
        axes.plot(confidence, accuracy, color=color, linewidth=1.5, label=label)
        axes.scatter(confidence, accuracy, s=sizes, color=color, zorder=3)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.04))
    _percent(axes)
    axes.legend(loc="upper left", frameon=False, borderaxespad=0)


def _answers_over_confidence(axes: Axes, bins: list[Bin]) -> None:
    images = sum(b.images for b in bins)
    axes.bar(
        [b.low for b in bins],
        [b.images / images for b in bins],
        width=[0.92 * (b.high - b.low) for b in bins],
        align="edge",
        color=BLUE,
    )
    axes.set(xlabel="confidence of the answer")
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)


def coverage_chart(heads: Mapping[Head, Abstention]) -> Figure:
    """Draw for each head the accuracy of its surest answers over the share of all that they are.

    The threshold of the bundle is marked, and the accuracy that it was chosen for.
    """
    with look():
        figure = Figure(figsize=(4.2 * len(heads), 3.8), layout="constrained")
        grid = figure.subplots(1, len(heads), sharey=True, squeeze=False)[0]
        for (name, abstention), axes in zip(heads.items(), grid, strict=True):
            _accuracy_over_coverage(axes, abstention)
            axes.set_title(name)
        grid[0].set_ylabel("accuracy of the sure answers")
    return figure


def _accuracy_over_coverage(axes: Axes, abstention: Abstention) -> None:
    curve = abstention.curve
    axes.plot([c.coverage for c in curve], [c.accuracy for c in curve], color=BLUE, linewidth=1.5)
    axes.axhline(abstention.precision, color=PALE, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        f"wanted: {abstention.precision:.0%}",
        (1, abstention.precision),
        (0, 3),
        textcoords="offset points",
        ha="right",
    )
    if abstention.accuracy is None:
        text = "no answer is sure enough"
    else:
        axes.scatter(abstention.coverage, abstention.accuracy, s=50, color=RED, zorder=3)
        text = (
            f"sure from a confidence of {abstention.threshold:.2f}: "
            f"{abstention.coverage:.0%} of the answers,\n{abstention.accuracy:.1%} of them right"
        )
    axes.text(0.02, 0.04, text, transform=axes.transAxes, color=RED)
    lowest = min(abstention.precision, *(point.accuracy for point in curve))
    axes.set(
        xlim=(0, 1.02), ylim=(lowest - 0.25 * (1.01 - lowest), 1.01), xlabel="share of answers"
    )
    _percent(axes)


def _percent(axes: Axes) -> None:
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.grid(color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
