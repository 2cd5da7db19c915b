"""The shards of a split: written one after another, read back in batches. No TensorFlow."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from vitrine.core.errors import PreparedDataError
from vitrine.core.taxonomy import HEADS, UNKNOWN, Head, Taxonomy
from vitrine.inputs.records import Record, decode, encode, frame, read_frames
from vitrine.inputs.summary import SplitSummary, Summary


@dataclass(frozen=True, slots=True)
class Batch:
    """Some images of a split.

    Args:
        images: (n, height, width, 3) uint8.
        labels: For each head the output indices, (n,) int64; -1 = unknown.
        names: Each image's path under data/.
    """

    images: NDArray[np.uint8]
    labels: dict[Head, NDArray[np.int64]]
    names: list[str]


def write_split(
    folder: Path, records: Iterable[Record], taxonomy: Taxonomy, *, images: int, shards: int
) -> SplitSummary:
    """Write records as shard files of equal length, in their order, holding one record at a time.

    Args:
        folder: Where to: `<prepared>/<split>`; made if it is not there.
        records: What to write.
        taxonomy: The labels behind the records' indices.
        images: How many records there are.
        shards: How many files to make; never more than there are images, never less than one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[Head, Counter[int]] = {head: Counter() for head in HEADS}
    shards = max(1, min(shards, images))
    digests: dict[str, str] = {}
    stream = iter(records)
    written = 0
    for number in range(shards):
        name = f"shard-{number:05d}-of-{shards:05d}.tfrecord"
        end = images * (number + 1) // shards
        with (folder / name).open("wb") as file:
            digests[name] = _write(file, islice(stream, end - written), counts)
        written = end
    return SplitSummary(
        images=sum(counts["style"].values()),
        shards=digests,
        counts={
            head: {label: counts[head][i] for i, label in enumerate(taxonomy.names(head))}
            for head in HEADS
        },
    )


def _write(file: BinaryIO, records: Iterable[Record], counts: dict[Head, Counter[int]]) -> str:
    digest = hashlib.sha256()
    for record in records:
        data = frame(encode(record))
        digest.update(data)
        file.write(data)
        for head in HEADS:
            counts[head][record.labels[head]] += 1
    return digest.hexdigest()


def read_batches(folder: Path, split: str, batch_size: int) -> Iterator[Batch]:
    """Yield a split's images in the order of its shards, checksums verified.

    Args:
        folder: The folder of prepared shards, with its summary.json.
        split: `train`, `val` or `test`.
        batch_size: Images in a batch; the last one may hold fewer.

    Raises:
        PreparedDataError: A file is missing or damaged; the message names it.
    """
    summary = Summary.load(folder)
    records = _records(summary, folder, split)
    while chunk := list(islice(records, batch_size)):
        yield Batch(
            np.stack([record.pixels for record in chunk]),
            {head: np.array([record.labels[head] for record in chunk]) for head in HEADS},
            [record.image for record in chunk],
        )


def read_names(folder: Path, split: str) -> Iterator[str]:
    """Yield the images of a split by their path under data/, one record in memory at a time.

    Raises:
        PreparedDataError: As `read_batches`.
    """
    for record in _records(Summary.load(folder), folder, split):
        yield record.image


def _records(summary: Summary, folder: Path, split: str) -> Iterator[Record]:
    limits = {head: len(summary.taxonomy.names(head)) for head in HEADS}
    for path in summary.shard_paths(folder, split):
        for data in read_frames(path):
            record = decode(data, summary.image_shape)
            for head, limit in limits.items():
                if not UNKNOWN <= record.labels[head] < limit:
                    raise PreparedDataError(
                        f"{path}: {record.image} has the {head} index {record.labels[head]}, but "
                        f"the taxonomy has {limit}; make the shards anew with `dvc repro prepare`"
                    )
            yield record
