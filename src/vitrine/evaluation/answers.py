"""What a bundle answers for a whole split, beside what is true."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.format import BundleInfo
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import PreparedDataError
from vitrine.core.progress import track
from vitrine.core.taxonomy import UNKNOWN, Head, Taxonomy
from vitrine.inputs.shards import Batch, read_batches
from vitrine.inputs.summary import Summary


@dataclass(frozen=True, slots=True)
class HeadAnswers:
    """Truth and answers of one head for the images of which the truth is known.

    Args:
        head: Which head.
        classes: The names of its classes, in output order.
        names: The images' paths under data/, n of them.
        labels: What is true, (n,) class indices.
        probabilities: What is answered, (n, classes) float64; each row sums to 1.
    """

    head: Head
    classes: tuple[str, ...]
    names: list[str]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    @property
    def answers(self) -> NDArray[np.int64]:
        """The class answered, (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def confidence(self) -> NDArray[np.float64]:
        """The probability of the class answered, (n,)."""
        return np.asarray(self.probabilities.max(axis=1))


@dataclass(frozen=True, slots=True)
class Answers:
    """Truth and answers of every image of a split.

    Args:
        taxonomy: The labels.
        names: The images' paths under data/, n of them.
        labels: By head, (n,) class indices; -1 where unknown.
        probabilities: By head that the bundle answers, (n, classes).
    """

    taxonomy: Taxonomy
    names: list[str]
    labels: dict[Head, NDArray[np.int64]]
    probabilities: dict[Head, NDArray[np.float64]]

    def known(self, head: Head) -> HeadAnswers:
        """Return the answers of a head for the images whose label is known."""
        known = self.labels[head] != UNKNOWN
        return HeadAnswers(
            head,
            self.taxonomy.names(head),
            [name for name, there in zip(self.names, known, strict=True) if there],
            self.labels[head][known],
            self.probabilities[head][known],
        )

    @property
    def judged(self) -> tuple[Head, ...]:
        """The heads that can be judged: answered, and known for at least one image."""
        return tuple(head for head in self.probabilities if (self.labels[head] != UNKNOWN).any())


def collect(runtime: Runtime, folder: Path, split: str, batch_size: int) -> Answers:
    """Answer every image of a split.

    Args:
        runtime: The bundle.
        folder: The prepared shards.
        split: `train`, `val` or `test`.
        batch_size: Images at a time.

    Raises:
        PreparedDataError: The shards are missing, damaged, empty, or do not fit the bundle.
    """
    summary = Summary.load(folder)
    check_fit(runtime.info, summary)
    total = -(-summary.splits[split].images // batch_size)
    batches = track(read_batches(folder, split, batch_size), f"Answering {split}", total)
    return answer_all(runtime, batches, split)


def answer_all(runtime: Runtime, batches: Iterable[Batch], split: str) -> Answers:
    """Answer every image of some batches, whose pixels and labels are in the bundle's own form.

    Args:
        runtime: The bundle.
        batches: All images of a split.
        split: Its name.

    Raises:
        PreparedDataError: There is no image.
    """
    heads = runtime.info.heads
    names: list[str] = []
    labels: dict[Head, list[NDArray[np.int64]]] = {head: [] for head in heads}
    found: dict[Head, list[NDArray[np.float32]]] = {head: [] for head in heads}
    for batch in batches:
        predictions = runtime.predict(batch.images)
        names += batch.names
        for head in heads:
            labels[head].append(batch.labels[head])
            found[head].append(predictions.probabilities(head))
    if not names:
        raise PreparedDataError(
            f"the {split} split is empty, so nothing can be measured: raise prepare.{split}_share"
        )
    return Answers(
        runtime.info.taxonomy,
        names,
        {head: np.concatenate(parts) for head, parts in labels.items()},
        {head: _exact(np.concatenate(parts)) for head, parts in found.items()},
    )


def check_fit(info: BundleInfo, summary: Summary) -> None:
    """Make sure that shards hold what a bundle takes and answers.

    Raises:
        PreparedDataError: Image settings or labels differ.
    """
    for what, bundle, shards in (
        ("image settings", info.image, summary.image),
        ("styles", info.taxonomy.names("style"), summary.taxonomy.names("style")),
        ("categories", info.taxonomy.names("category"), summary.taxonomy.names("category")),
    ):
        if bundle != shards:
            raise PreparedDataError(
                f"the bundle has other {what} than the prepared shards: {bundle} and {shards}; "
                "bring both up to date with `dvc repro`"
            )


def pixels(
    folder: Path, split: str, wanted: Collection[str], batch_size: int
) -> dict[str, NDArray[np.uint8]]:
    """Return the pixels of the named images of a split, (height, width, 3) each."""
    names = set(wanted)
    return {
        name: image
        for batch in read_batches(folder, split, batch_size)
        for name, image in zip(batch.names, batch.images, strict=True)
        if name in names
    }


def _exact(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    # float32 rows sum to 1 only within 1e-6, of which measures that take logarithms complain.
    exact = probabilities.astype(np.float64)
    return np.asarray(exact / exact.sum(axis=1, keepdims=True))
