"""Charts of a search: how the best score grew, and which keys mattered."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vitrine.evaluation.figures import BLUE, LINE, PALE, RED, look
from vitrine.training.attempt import Attempt, best_so_far

COLOURS = {"complete": BLUE, "pruned": PALE}


def history_chart(attempts: Sequence[Attempt]) -> Figure:
    """Draw the score of each trial over its number, and the best one so far as a line.

    Trials that ended early are pale, the one with train's own values is red.
    """
    with look():
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.add_subplot()
        numbers, best = zip(*best_so_far(attempts), strict=True)
        axes.step(numbers, best, where="post", color=BLUE, linewidth=1.5, label="best so far")
        for state, colour in COLOURS.items():
            shown = [(a.number, a.score) for a in attempts if a.state == state and a.score]
            if shown:
                name = "ended early" if state == "pruned" else "a trial"
                numbers_shown, scores = zip(*shown, strict=True)
                axes.scatter(numbers_shown, scores, color=colour, s=28, zorder=3, label=name)
        axes.scatter([numbers[0]], [best[0]], color=RED, s=40, zorder=4, label="train's own values")
        axes.set(xlabel="trial", ylabel="val macro F1", title="Scores of the search")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color=LINE, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return figure


def importance_chart(importance: Mapping[str, float]) -> Figure:
    """Draw the importance of each key as a bar, the largest on top."""
    with look():
        figure = Figure(figsize=(6.4, 1.1 + 0.35 * len(importance)), layout="constrained")
        axes = figure.add_subplot()
        names = list(importance)[::-1]
        bars = axes.barh(names, [importance[name] for name in names], color=BLUE, height=0.6)
        axes.bar_label(bars, fmt="{:.0%}", padding=3)
        axes.set(xlim=(0, 1.05), xticks=[], title="What made the difference (PED-ANOVA)")
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    return figure
