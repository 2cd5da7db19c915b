"""What an answer looked at: class-activation maps laid over the images."""

from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vitrine.bundle.evidence import enlarged, evidence
from vitrine.bundle.runtime import Predictions
from vitrine.core.taxonomy import HEADS, UNKNOWN, Head, Taxonomy
from vitrine.evaluation.answers import HeadAnswers
from vitrine.evaluation.figures import INK, RED, bare, look, shorten
from vitrine.evaluation.gallery import worst_mistakes

SIDE = 1.25
"""The width of a picture, in inches."""
LABEL = 16
"""Characters of a class name under a small picture."""


def typical(head: HeadAnswers, count: int) -> list[str]:
    """Return the surest right answer of each class, the most frequent classes first."""
    right = head.answers == head.labels
    frequency = np.bincount(head.labels, minlength=len(head.classes))
    names = []
    for index in np.argsort(-frequency, kind="stable")[:count]:
        of_class = np.flatnonzero(right & (head.labels == index))
        if len(of_class):
            names.append(head.names[of_class[head.confidence[of_class].argmax()]])
    return names


def misjudged(heads: Sequence[HeadAnswers], count: int) -> list[str]:
    """Return the images of the most confident mistakes, of the heads by turns, none twice."""
    by_head = [[mistake.image for mistake in worst_mistakes(head, count)] for head in heads]
    turns = chain.from_iterable(zip_longest(*by_head))
    return list(dict.fromkeys(name for name in turns if name is not None))[:count]


def attention_sheet(
    title: str,
    images: NDArray[np.uint8],
    predictions: Predictions,
    labels: Mapping[Head, NDArray[np.int64]],
    taxonomy: Taxonomy,
) -> Figure:
    """Draw images in a row and, below, for each head with maps, where its answer comes from.

    Args:
        title: What images these are.
        images: (n, height, width, 3).
        predictions: What the bundle answers for them.
        labels: What is true, by head (n,) class indices; -1 where unknown.
        taxonomy: The names of the answers.
    """
    maps = {head: found for head in HEADS if (found := predictions.maps(head)) is not None}
    height, width = images.shape[1:3]
    tall = SIDE * height / width + 0.25
    with look():
        size = (max(SIDE * len(images), 4), tall * (1 + len(maps)) + 0.4)
        figure = Figure(figsize=size, layout="compressed")
        figure.suptitle(
            f"{title}: what speaks for the answer glows", x=0.01, ha="left", fontweight="bold"
        )
        grid = figure.subplots(1 + len(maps), len(images), squeeze=False)
        for axes, image in zip(grid[0], images, strict=True):
            bare(axes)
            axes.imshow(image, interpolation="lanczos")
        for row, (head, found) in zip(grid[1:], maps.items(), strict=True):
            row[0].set_ylabel(head)
            probabilities = predictions.probabilities(head)
            for place, axes in enumerate(row):
                answer, truth = int(probabilities[place].argmax()), int(labels[head][place])
                _overlay(axes, images[place], evidence(found[place], answer))
                _caption(axes, taxonomy.names(head), probabilities[place], truth)
    return figure


def _overlay(axes: Axes, image: NDArray[np.uint8], strength: NDArray[np.float32]) -> None:
    smooth = enlarged(strength, *image.shape[:2])
    bare(axes)
    axes.imshow(image.mean(axis=2), cmap="gray", vmin=0, vmax=255, interpolation="lanczos")
    axes.imshow(smooth, cmap="inferno", alpha=0.75 * smooth, vmin=0, vmax=1)


def _caption(
    axes: Axes, names: Sequence[str], probabilities: NDArray[np.float32], truth: int
) -> None:
    answer = int(probabilities.argmax())
    wrong = truth not in (answer, UNKNOWN)
    lines = [f"{shorten(names[answer], LABEL)} {probabilities[answer]:.0%}"]
    if wrong:
        lines.append(f"true: {shorten(names[truth], LABEL - 2)}")
    elif truth == UNKNOWN:
        lines.append("truth unknown")
    axes.set_xlabel("\n".join(lines), fontsize=7, color=RED if wrong else INK)
