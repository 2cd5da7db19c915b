"""Charts of many figures below one another: classes, slices, changes and attacks."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from vitrine.core.taxonomy import HEADS, Head
from vitrine.evaluation.attacks import Attacked
from vitrine.evaluation.behaviour import Kept
from vitrine.evaluation.figures import AMBER, BLUE, INK, LINE, PALE, RED, look, shorten
from vitrine.evaluation.metrics import ClassScore
from vitrine.evaluation.slices import SliceScore

MOST = 40
"""How many rows a chart has at most; of more, the lowest figures are shown."""
LABEL = 44
"""Characters of a row's name."""
COLORS: dict[Head, str] = {"style": AMBER, "category": BLUE}


@dataclass(frozen=True, slots=True)
class _Dot:
    """One row: its name, its figure and 95 % interval, 0 to 1, and whether it stands out."""

    name: str
    value: float
    low: float
    high: float
    bad: bool = False


def class_chart(head: Head, scores: Sequence[ClassScore]) -> Figure:
    """Draw the F1 of a head's classes with their intervals, the most frequent class on top.

    Args:
        head: For the title.
        scores: At least one; without intervals the dots stand alone.
    """
    shown = sorted(scores, key=lambda score: score.f1)[:MOST]
    dots = [
        _Dot(
            f"{shorten(score.name, LABEL)} ({score.images})",
            score.f1,
            score.f1 if score.f1_low is None else score.f1_low,
            score.f1 if score.f1_high is None else score.f1_high,
        )
        for score in sorted(shown, key=lambda score: -score.images)
    ]
    which = "by class" if len(scores) <= MOST else f"of the {MOST} weakest of {len(scores)} classes"
    return _dot_chart(dots, f"{head}: F1 {which}", "F1, with its 95 % interval")


def slice_chart(head: Head, scores: Sequence[SliceScore], accuracy: float) -> Figure:
    """Draw the accuracy of a head on slices with their intervals, weak slices in red.

    Args:
        head: For the title.
        scores: At least one, all of this head.
        accuracy: On all images, 0 to 1; drawn as a line.
    """
    lowest = sorted(scores, key=lambda score: score.accuracy)[:MOST]
    dots = [
        _Dot(
            f"{shorten(score.name, LABEL)} ({score.images})",
            score.accuracy,
            score.low,
            score.high,
            score.weak,
        )
        for score in scores
        if score in lowest
    ]
    which = "by slice" if len(scores) <= MOST else f"on the {MOST} worst of {len(scores)} slices"
    title = f"{head}: accuracy {which}; in red, lower than elsewhere beyond chance"
    return _dot_chart(dots, title, "accuracy, with its 95 % interval", accuracy)


def behaviour_chart(kept: Sequence[Kept]) -> Figure:
    """Draw the share of answers that stay under each harmless change; at least one change."""
    rows = [(f"{change.change} ({change.images})", change.shares) for change in kept]
    return _bar_chart(rows, "answers that stay when images are changed in harmless ways")


def robustness_chart(attacked: Sequence[Attacked]) -> Figure:
    """Draw the accuracy that is left under each attack; at least one attack."""
    rows = [("as they are", attacked[0].clean), *((one.attack, one.accuracy) for one in attacked)]
    first = attacked[0]
    return _bar_chart(
        rows, f"accuracy on {first.images} images attacked by {first.epsilon:g} grey levels of 255"
    )


def _dot_chart(
    dots: Sequence[_Dot], title: str, measure: str, overall: float | None = None
) -> Figure:
    with look():
        size = (7.5, 1.1 + 0.22 * len(dots))
        figure = Figure(figsize=size, layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        axes = figure.add_subplot()
        places = range(len(dots))
        for color, bad in ((BLUE, False), (RED, True)):
            shown = [
                (place, dot) for place, dot in zip(places, dots, strict=True) if dot.bad == bad
            ]
            at = [place for place, _ in shown]
            axes.hlines(
                at, [dot.low for _, dot in shown], [dot.high for _, dot in shown], color, alpha=0.4
            )
            axes.scatter([dot.value for _, dot in shown], at, s=22, color=color, zorder=3)
        if overall is not None:
            axes.axvline(overall, color=PALE, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
            axes.annotate(
                f"all images {overall:.1%}",
                (overall, 1),
                (3, 1),
                xycoords=axes.get_xaxis_transform(),
                textcoords="offset points",
                ha="right" if overall > 0.5 else "left",
            )
        _rows(axes, [dot.name for dot in dots], measure)
    return figure


def _bar_chart(rows: Sequence[tuple[str, dict[Head, float]]], title: str) -> Figure:
    heads = [head for head in HEADS if head in rows[0][1]]
    thick = 0.8 / len(heads)
    with look():
        size = (7.5, 1.3 + 0.22 * len(heads) * len(rows))
        figure = Figure(figsize=size, layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        axes = figure.add_subplot()
        for number, head in enumerate(heads):
            places = [row + thick * (number - (len(heads) - 1) / 2) for row in range(len(rows))]
            values = [shares[head] for _, shares in rows]
            bars = axes.barh(places, values, 0.9 * thick, color=COLORS[head], label=head)
            axes.bar_label(bars, [f"{value:.1%}" for value in values], padding=3, fontsize=8)
        _rows(axes, [name for name, _ in rows], "")
        axes.set_xlim(right=1.08)
        figure.legend(loc="outside lower left", frameon=False, ncols=len(heads))
    return figure


def _rows(axes: Axes, names: Sequence[str], measure: str) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set(xlim=(0, 1.02), ylim=(len(names) - 0.4, -0.6), xlabel=measure)
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.grid(axis="x", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
