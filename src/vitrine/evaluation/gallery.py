"""The worst mistakes of a head, and a sheet of pictures that shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vitrine.evaluation.answers import HeadAnswers
from vitrine.evaluation.figures import INK, PALE, RED, bare, look, shorten

COLUMNS = 6
LABEL = 20
"""Characters of a class name under a small picture."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong answer: which image, what it shows, what was answered and how surely (0 to 1)."""

    image: str
    truth: str
    answer: str
    probability: float


def worst_mistakes(head: HeadAnswers, count: int) -> list[Mistake]:
    """Return the wrong answers given with the most confidence, the surest first."""
    confidence = head.confidence
    wrong = np.flatnonzero(head.answers != head.labels)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    return [
        Mistake(
            head.names[index],
            head.classes[head.labels[index]],
            head.classes[head.answers[index]],
            float(confidence[index]),
        )
        for index in surest
    ]


def mistake_sheet(
    head: str, mistakes: Sequence[Mistake], pixels: Mapping[str, NDArray[np.uint8]]
) -> Figure:
    """Draw mistakes as a sheet of small pictures: the image, its truth, the answer.

    Args:
        head: Which head, for the title.
        mistakes: At least one.
        pixels: The images by name, (height, width, 3).
    """
    columns = min(COLUMNS, len(mistakes))
    rows = -(-len(mistakes) // columns)
    height, width = pixels[mistakes[0].image].shape[:2]
    with look():
        tall = 1.65 * max(0.75, min(height / width, 1.5)) + 0.62
        size = (max(1.75 * columns, 4.5), tall * rows + 0.5)
        figure = Figure(figsize=size, layout="compressed")
        figure.suptitle(
            f"{head}: the most confident mistakes", x=0.01, ha="left", fontweight="bold"
        )
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid:
            bare(axes)
        for axes, mistake in zip(grid, mistakes, strict=False):
            axes.imshow(pixels[mistake.image], interpolation="lanczos")
            _caption(axes, mistake)
    return figure


def _caption(axes: Axes, mistake: Mistake) -> None:
    lines = (
        (f"{shorten(mistake.answer, LABEL - 5)} {mistake.probability:.0%}", RED),
        (f"true: {shorten(mistake.truth, LABEL - 2)}", INK),
        (shorten(PurePosixPath(mistake.image).name, LABEL + 4), PALE),
    )
    for place, (text, color) in enumerate(lines):
        axes.annotate(
            text,
            (0.5, 0),
            (0, -3 - 10 * place),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7.5 if place < 2 else 6,
            color=color,
        )
