"""Two bundles on the same test images, whatever their image settings and labels are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.runtime import Runtime
from vitrine.core.params import ImageParams
from vitrine.core.progress import track
from vitrine.core.taxonomy import UNKNOWN, Head
from vitrine.evaluation.answers import Answers, answer_all
from vitrine.inputs.shards import Batch, read_batches
from vitrine.inputs.summary import Summary

SPLIT = "test"
BATCH_SIZE = 64
LEAST_CLASSES = 2
"""With fewer classes that both know there is nothing to tell apart."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What two bundles answer for one head, on the images whose true class both know.

    Each chooses among the classes that both know only: none is blamed for a class that it was never
    taught.

    Args:
        classes: The names of these classes, in the order of the first bundle.
        rows: Which of the test images these are, (n,) indices, n at least 1.
        labels: What is true, (n,) indices of `classes`.
        first: What the first bundle answers, (n,).
        second: What the second one answers, (n,).
    """

    classes: tuple[str, ...]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]


def pair_up(first: Answers, second: Answers) -> dict[Head, Pair]:
    """Return the answers of two bundles for the same images side by side.

    A head is left out where one of them lacks it, they share fewer than two of its classes, or no
    image is known to be of a shared one.
    """
    pairs: dict[Head, Pair] = {}
    for head in first.probabilities:
        if head not in second.probabilities:
            continue
        own, other = first.taxonomy.names(head), second.taxonomy.names(head)
        shared = tuple(name for name in own if name in other)
        known = (first.labels[head] != UNKNOWN) & (second.labels[head] != UNKNOWN)
        if len(shared) < LEAST_CLASSES or not known.any():
            continue
        mine = [own.index(name) for name in shared]
        theirs = [other.index(name) for name in shared]
        pairs[head] = Pair(
            shared,
            np.flatnonzero(known),
            _places(mine, len(own))[first.labels[head][known]],
            first.probabilities[head][known][:, mine].argmax(axis=1),
            second.probabilities[head][known][:, theirs].argmax(axis=1),
        )
    return pairs


def answer_test(runtime: Runtime, prepared: Path, data: Path) -> Answers:
    """Let any bundle answer the test images, with the truth in its own labels.

    An image of a class that the bundle does not know counts as unknown.

    Args:
        runtime: The bundle.
        prepared: The shards.
        data: Where the original images lie, for a bundle that takes other pixels than the shards'.

    Raises:
        PreparedDataError: The shards are missing, damaged or empty.
        ImageError: An original image is missing or cannot be read.
    """
    summary = Summary.load(prepared)
    info = runtime.info
    theirs = {head: _translation(head, summary, runtime) for head in info.heads}
    total = -(-summary.splits[SPLIT].images // BATCH_SIZE)
    translated = (
        Batch(
            _pixels(batch, data, info.image, summary.image),
            {head: theirs[head][batch.labels[head]] for head in info.heads},
            batch.names,
        )
        for batch in track(read_batches(prepared, SPLIT, BATCH_SIZE), "Comparing", total)
    )
    return answer_all(runtime, translated, SPLIT)


def _pixels(batch: Batch, data: Path, wanted: ImageParams, held: ImageParams) -> NDArray[np.uint8]:
    """Return the images of a batch of shards as a bundle takes them."""
    # How large a file may be decides no pixel, and the shards' own limits let all of these pass.
    limits = held.model_dump(include={"max_bytes", "max_pixels"})
    form = wanted.model_copy(update=limits)
    if form == held:
        return batch.images
    return np.stack([imaging.load(data / name, form, name) for name in batch.names])


def _translation(head: Head, summary: Summary, runtime: Runtime) -> NDArray[np.int64]:
    """Return the bundle's index for each index of the shards, with `UNKNOWN` at -1."""
    own = runtime.info.taxonomy.names(head)
    known = (own.index(name) if name in own else UNKNOWN for name in summary.taxonomy.names(head))
    return np.array([*known, UNKNOWN], np.int64)


def _places(chosen: Sequence[int], size: int) -> NDArray[np.int64]:
    """Return for each of `size` indices its place among the chosen ones."""
    places = np.full(size, UNKNOWN, np.int64)
    places[chosen] = np.arange(len(chosen))
    return places
