"""All pictures of an evaluation, written into one folder for the card, for DVC and for MLflow."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.runtime import Runtime
from vitrine.core.taxonomy import Head
from vitrine.evaluation import charts, dot_charts
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.attention import attention_sheet, misjudged, typical
from vitrine.evaluation.figures import save
from vitrine.evaluation.gallery import mistake_sheet, worst_mistakes
from vitrine.evaluation.report import Report

MISTAKES = 18
"""How many mistakes of a head are shown."""
EXPLAINED = 8
"""How many right answers, and how many wrong ones, are shown with what they looked at."""

Load = Callable[[Collection[str]], Mapping[str, NDArray[np.uint8]]]
"""From the names of images to their pixels, (height, width, 3) each."""


def write_charts(folder: Path, report: Report) -> None:
    """Write what can be drawn from the numbers alone; a chart without numbers is left out."""
    heads = report.heads
    for name, head in heads.items():
        save(charts.confusion(head.answers), folder / f"confusion_{name}.png")
        save(dot_charts.class_chart(name, head.classes), folder / f"per_class_{name}.png")
        if slices := [score for score in report.slices if score.head == name]:
            chart = dot_charts.slice_chart(name, slices, head.measures["accuracy"])
            save(chart, folder / f"slices_{name}.png")
    bins = {name: head.bins for name, head in heads.items()}
    before = {name: head.uncalibrated_bins for name, head in heads.items()}
    save(charts.reliability_diagram(bins, before), folder / "reliability.png")
    abstention = {name: head.abstention for name, head in heads.items()}
    save(charts.coverage_chart(abstention), folder / "coverage.png")
    if report.behaviour:
        save(dot_charts.behaviour_chart(report.behaviour), folder / "behaviour.png")
    if report.robustness:
        save(dot_charts.robustness_chart(report.robustness), folder / "robustness.png")


def write_examples(folder: Path, answers: Answers, runtime: Runtime, load: Load) -> None:
    """Write sheets of images: the worst mistakes, and what right and wrong answers looked at.

    Args:
        folder: Where to.
        answers: Of the bundle; at least one head is `judged`.
        runtime: The bundle.
        load: Called once, for all images that are shown.
    """
    heads = [answers.known(head) for head in answers.judged]
    mistakes = {head.head: worst_mistakes(head, MISTAKES) for head in heads}
    explained = {
        "attention": ("surest right answers", typical(heads[-1], EXPLAINED)),
        "attention_mistakes": ("most confident mistakes", misjudged(heads, EXPLAINED)),
    }
    wanted = {mistake.image for of_head in mistakes.values() for mistake in of_head}
    pixels = load(wanted.union(*(names for _, names in explained.values())))
    for name, of_head in mistakes.items():
        if of_head:
            save(mistake_sheet(name, of_head, pixels), folder / f"mistakes_{name}.png")
    places = {name: place for place, name in enumerate(answers.names)}
    for file, (title, names) in explained.items():
        if names:
            rows = [places[name] for name in names]
            labels = {head: of_head[rows] for head, of_head in answers.labels.items()}
            images = np.stack([pixels[name] for name in names])
            _write_attention(folder / f"{file}.png", title, images, labels, runtime)


def _write_attention(
    path: Path,
    title: str,
    images: NDArray[np.uint8],
    labels: Mapping[Head, NDArray[np.int64]],
    runtime: Runtime,
) -> None:
    predictions = runtime.predict(images)
    if any(predictions.maps(head) is not None for head in runtime.info.heads):
        save(attention_sheet(title, images, predictions, labels, runtime.info.taxonomy), path)
