"""What a bundle computes in: the fastest precision that answers val as well as f32 does.

Val chooses, never test: what has chosen cannot judge any more. The stage `evaluate` then measures
on test what was chosen.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from vitrine.bundle.compiled import CompiledGraph
from vitrine.bundle.format import MeasuredPrecision
from vitrine.core.params import Precision
from vitrine.core.taxonomy import UNKNOWN, Head

BATCH = 8
"""Images that are inferred together while the time is taken: as many as in a busy service."""
WARM_UP = 3
TURNS = 15
GAIN = 1.1
"""How much faster a coarser precision must at least be; less is within what a clock errs."""


class Labelled(Protocol):
    """Some images with what is known of them."""

    @property
    def images(self) -> NDArray[np.uint8]:
        """The pixels, (n, height, width, 3)."""

    @property
    def labels(self) -> Mapping[Head, NDArray[np.int64]]:
        """By head, (n,) class indices, -1 where unknown."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What the graphs of several precisions answer for a split.

    Args:
        labels: By head, (n,) class indices, -1 where unknown.
        logits: By precision and head, (n, classes).
    """

    labels: dict[Head, NDArray[np.int64]]
    logits: dict[Precision, dict[Head, NDArray[np.float32]]]


def try_out(
    graphs: Mapping[Precision, Path], batches: Iterable[Labelled], heads: Sequence[Head]
) -> Tried:
    """Answer a split by every graph, holding one batch at a time.

    Args:
        graphs: By precision, a graph whose heads give logits.
        batches: At least one.
        heads: What the graphs answer.
    """
    compiled = {precision: CompiledGraph(path, precision, 0) for precision, path in graphs.items()}
    labels: dict[Head, list[NDArray[np.int64]]] = {head: [] for head in heads}
    logits: dict[Precision, dict[Head, list[NDArray[np.float32]]]] = {
        precision: {head: [] for head in heads} for precision in graphs
    }
    for batch in batches:
        for head in heads:
            labels[head].append(batch.labels[head])
        for precision, graph in compiled.items():
            outputs = graph.infer(batch.images)
            for head in heads:
                logits[precision][head].append(outputs[head])
    return Tried(
        {head: np.concatenate(parts) for head, parts in labels.items()},
        {
            precision: {head: np.concatenate(parts) for head, parts in by_head.items()}
            for precision, by_head in logits.items()
        },
    )


def measure(
    graphs: Mapping[Precision, Path], tried: Tried, image: NDArray[np.uint8]
) -> list[MeasuredPrecision]:
    """Return how fast and how good each precision is.

    Args:
        graphs: By precision.
        tried: What they answer for val; f32 is among them.
        image: Any image of the right size, (height, width, 3).
    """
    speeds = _speeds(graphs, np.repeat(image[np.newaxis], BATCH, axis=0))
    return [_measured(precision, speeds[precision], tried) for precision in graphs]


def choose(measured: Sequence[MeasuredPrecision], tolerance: float) -> Precision:
    """Return the fastest precision that is good enough.

    A coarser one is taken only when it is at least `GAIN` times as fast as what it replaces.

    Args:
        measured: f32 and then the others, the exacter before the coarser.
        tolerance: By how much accuracy and macro F1 of a head may fall from those of f32, and of a
            head without labels the share of answers that are those of f32; 0 to 1.
    """
    exact = chosen = measured[0]
    for one in measured[1:]:
        faster = one.images_per_second >= GAIN * chosen.images_per_second
        if faster and _loss(one, exact) <= tolerance:
            chosen = one
    return chosen.precision


def _speeds(graphs: Mapping[Precision, Path], images: NDArray[np.uint8]) -> dict[Precision, float]:
    """Return images a second on one thread: medians, the graphs taking turns."""
    compiled = [CompiledGraph(path, precision, 1) for precision, path in graphs.items()]
    taken = np.empty((WARM_UP + TURNS, len(compiled)))
    for turn in taken:
        for place, graph in enumerate(compiled):
            start = time.perf_counter()
            graph.infer(images)
            turn[place] = time.perf_counter() - start
    medians = np.median(taken[WARM_UP:], axis=0)
    return {precision: len(images) / float(m) for precision, m in zip(graphs, medians, strict=True)}


def _measured(precision: Precision, speed: float, tried: Tried) -> MeasuredPrecision:
    agreement: dict[Head, float] = {}
    accuracy: dict[Head, float] = {}
    macro_f1: dict[Head, float] = {}
    for head, labels in tried.labels.items():
        answers = tried.logits[precision][head].argmax(axis=1)
        agreement[head] = float((answers == tried.logits["f32"][head].argmax(axis=1)).mean())
        known = labels != UNKNOWN
        if known.any():
            truth, said = labels[known], answers[known]
            accuracy[head] = float((said == truth).mean())
            macro_f1[head] = float(
                f1_score(truth, said, labels=np.unique(truth), average="macro", zero_division=0)
            )
    return MeasuredPrecision(
        precision=precision,
        images_per_second=round(speed, 1),
        agreement=agreement,
        accuracy=accuracy,
        macro_f1=macro_f1,
    )


def _loss(one: MeasuredPrecision, exact: MeasuredPrecision) -> float:
    """Return the largest fall of a measure from that of f32."""
    falls = [1 - one.agreement[head] for head in one.agreement if head not in one.accuracy]
    for head in one.accuracy:
        falls += [
            exact.accuracy[head] - one.accuracy[head],
            exact.macro_f1[head] - one.macro_f1[head],
        ]
    return max(falls)
