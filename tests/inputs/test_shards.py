from pathlib import Path

import numpy as np
import pytest

from vitrine.core.errors import PreparedDataError
from vitrine.core.taxonomy import Taxonomy
from vitrine.inputs.records import Record, read_frames
from vitrine.inputs.shards import read_batches, read_names, write_split

Written = dict[str, list[Record]]


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_batches_bring_back_what_was_written(prepared: Path, written: Written, split: str) -> None:
    batches = list(read_batches(prepared, split, 8))
    assert all(len(batch.names) == 8 for batch in batches[:-1])
    names = [name for batch in batches for name in batch.names]
    images = np.concatenate([batch.images for batch in batches])
    assert names == [record.image for record in written[split]]
    np.testing.assert_array_equal(images, [record.pixels for record in written[split]])
    for head in ("style", "category"):
        labels = np.concatenate([batch.labels[head] for batch in batches])
        assert labels.dtype == np.int64
        assert labels.tolist() == [record.labels[head] for record in written[split]]


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_names_are_those_of_the_records(prepared: Path, written: Written, split: str) -> None:
    assert list(read_names(prepared, split)) == [record.image for record in written[split]]


def test_names_of_a_damaged_shard_are_refused(prepared: Path) -> None:
    path = prepared / "val" / "shard-00000-of-00001.tfrecord"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PreparedDataError, match=r"val/shard-00000-of-00001\.tfrecord is damaged"):
        list(read_names(prepared, "val"))


@pytest.mark.parametrize(
    ("images", "shards", "lengths"),
    [(50, 4, [12, 13, 12, 13]), (3, 4, [1, 1, 1]), (4, 1, [4]), (0, 4, [0])],
)
def test_shards_are_of_equal_length(
    tmp_path: Path,
    written: Written,
    taxonomy: Taxonomy,
    images: int,
    shards: int,
    lengths: list[int],
) -> None:
    records = written["train"][:images]
    summary = write_split(tmp_path, records, taxonomy, images=images, shards=shards)
    assert summary.images == images
    assert [len(list(read_frames(tmp_path / name))) for name in summary.shards] == lengths


def test_a_flipped_byte_is_found_and_its_shard_named(prepared: Path) -> None:
    path = prepared / "train" / "shard-00002-of-00004.tfrecord"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(PreparedDataError, match=r"train/shard-00002-of-00004\.tfrecord is damaged"):
        list(read_batches(prepared, "train", 8))


def test_a_missing_shard_is_named_before_anything_is_read(prepared: Path) -> None:
    (prepared / "train" / "shard-00003-of-00004.tfrecord").unlink()
    with pytest.raises(PreparedDataError, match=r"shard-00003-of-00004\.tfrecord is missing"):
        next(read_batches(prepared, "train", 8))
