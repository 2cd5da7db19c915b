"""Two bundles compared on the same test images, whatever their image settings and labels are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.runtime import Runtime
from vitrine.core.progress import track
from vitrine.core.taxonomy import UNKNOWN, Head
from vitrine.evaluation.answers import Answers, HeadAnswers
from vitrine.evaluation.metrics import macro_f1
from vitrine.inputs.shards import read_batches
from vitrine.inputs.summary import Summary

BATCH_SIZE = 64
LEAST_CLASSES = 2
"""With fewer classes that both know there is nothing to tell apart."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The macro F1 of two bundles, 0 to 1, on the images and classes that both know.

    Args:
        mine: Of the first bundle, by head; empty when no head can be compared.
        theirs: Of the second bundle, by the same heads.
    """

    mine: dict[Head, float]
    theirs: dict[Head, float]

    @property
    def means(self) -> tuple[float, float]:
        """The means over the heads, of the first and of the second bundle."""
        return float(np.mean([*self.mine.values()])), float(np.mean([*self.theirs.values()]))


def compare(answers: Answers, rival: Runtime, prepared: Path, data: Path) -> Comparison:
    """Let a second bundle answer the test images too, and score both alike.

    A head is scored on the images whose true class both bundles know, and each bundle chooses among
    the shared classes only: none is blamed for a class that it was never taught.

    Args:
        answers: Of the first bundle, on the test split.
        rival: The second bundle.
        prepared: The shards that the answers are of.
        data: Where the original images lie, for a rival that takes another size.

    Raises:
        PreparedDataError: The shards are missing or damaged.
        ImageError: An original image is missing or cannot be read.
    """
    found = _answer(rival, prepared, data, answers.names)
    mine: dict[Head, float] = {}
    theirs: dict[Head, float] = {}
    for head in answers.judged:
        own, classes = answers.known(head), rival.info.taxonomy.names(head)
        shared = [name for name in own.classes if name in classes]
        known = {own.classes[label] for label in own.labels} & set(shared)
        if head in found and len(shared) >= LEAST_CLASSES and known:
            rivals = found[head][answers.labels[head] != UNKNOWN]
            mine[head] = _score(own, own.probabilities, own.classes, shared)
            theirs[head] = _score(own, rivals, classes, shared)
    return Comparison(mine, theirs)


def _score(
    truth: HeadAnswers,
    probabilities: NDArray[np.float64],
    classes: Sequence[str],
    shared: Sequence[str],
) -> float:
    """Return the macro F1 of answers among shared classes only."""
    names = [truth.classes[label] for label in truth.labels]
    rows = [row for row, name in enumerate(names) if name in shared]
    among = HeadAnswers(
        head=truth.head,
        classes=tuple(shared),
        names=[truth.names[row] for row in rows],
        labels=np.array([shared.index(names[row]) for row in rows]),
        probabilities=probabilities[rows][:, [classes.index(name) for name in shared]],
    )
    return macro_f1(among)


def _answer(
    rival: Runtime, prepared: Path, data: Path, names: Sequence[str]
) -> dict[Head, NDArray[np.float64]]:
    """Return a bundle's probabilities for the test images, by head, (n, classes)."""
    same = rival.info.image == Summary.load(prepared).image
    batches = _from_shards(prepared) if same else _from_files(rival, data, names)
    found: dict[Head, list[NDArray[np.float32]]] = {head: [] for head in rival.info.heads}
    for images in track(batches, "Comparing", -(-len(names) // BATCH_SIZE)):
        predictions = rival.predict(images)
        for head, parts in found.items():
            parts.append(predictions.probabilities(head))
    return {head: np.concatenate(parts).astype(np.float64) for head, parts in found.items()}


def _from_shards(prepared: Path) -> Iterator[NDArray[np.uint8]]:
    for batch in read_batches(prepared, "test", BATCH_SIZE):
        yield batch.images


def _from_files(rival: Runtime, data: Path, names: Sequence[str]) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(names), BATCH_SIZE):
        part = names[start : start + BATCH_SIZE]
        yield np.stack([imaging.load(data / name, rival.info.image, name) for name in part])
