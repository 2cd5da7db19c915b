from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vitrine.core.errors import PreparedDataError
from vitrine.core.params import AugmentParams, Params
from vitrine.inputs.pipeline import dataset
from vitrine.inputs.records import Record, read_frames
from vitrine.models.augmentation import Augmentation

Written = dict[str, list[Record]]


def ids(batches: Any) -> list[int]:
    """The number of every image, which its pixels tell."""
    return [int(image[3, 3, 0]) for images, _ in batches for image in images.numpy()]


def test_tensorflow_reads_what_was_written_without_it(prepared: Path, written: Written) -> None:
    paths = sorted(map(str, (prepared / "train").iterdir()))
    serialised = next(iter(tf.data.TFRecordDataset(paths).batch(100)))
    example = tf.io.parse_example(
        serialised,
        {
            "image": tf.io.FixedLenFeature([], tf.string),
            "pixels": tf.io.FixedLenFeature([], tf.string),
            "style": tf.io.FixedLenFeature([], tf.int64),
            "category": tf.io.FixedLenFeature([], tf.int64),
        },
    )
    names = [name.decode() for name in example["image"].numpy()]
    assert names == [record.image for record in written["train"]]
    assert example["style"].numpy().tolist() == [
        record.labels["style"] for record in written["train"]
    ]
    pixels = tf.io.decode_raw(example["pixels"], tf.uint8).numpy()
    np.testing.assert_array_equal(pixels, [record.pixels.ravel() for record in written["train"]])


def test_what_tensorflow_writes_is_read_without_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for data in (b"one", b"", bytes(10_000)):
            writer.write(data)
    assert list(read_frames(path)) == [b"one", b"", bytes(10_000)]


def test_batches_hold_pixels_and_labels(prepared: Path, written: Written) -> None:
    batches = dataset(prepared, "train", batch_size=16)
    assert batches.cardinality() == 4
    assert batches.element_spec[0].shape.as_list() == [None, 6, 4, 3]
    images = np.concatenate([images for images, _ in batches.as_numpy_iterator()])
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, [record.pixels for record in written["train"]])
    for head in ("style", "category"):
        labels = np.concatenate([labels[head] for _, labels in batches.as_numpy_iterator()])
        assert labels.tolist() == [record.labels[head] for record in written["train"]]


def test_a_seed_fixes_the_order_of_every_epoch(prepared: Path) -> None:
    def epochs(seed: int) -> list[list[int]]:
        batches = dataset(prepared, "train", batch_size=16, shuffle_seed=seed)
        return [ids(batches) for _ in range(3)]

    first, again, other = epochs(1), epochs(1), epochs(2)
    assert first == again
    assert first != other
    assert len({tuple(epoch) for epoch in first}) == 3
    assert all(sorted(epoch) == list(range(50)) for epoch in first)


@pytest.mark.parametrize(("limit", "images"), [(20, 20), (50, 50), (999, 50)])
def test_a_limit_takes_the_same_images_in_every_epoch(
    prepared: Path, limit: int, images: int
) -> None:
    batches = dataset(prepared, "train", batch_size=16, shuffle_seed=3, limit=limit)
    epochs = [ids(batches) for _ in range(2)]
    assert epochs[0] != epochs[1]
    assert set(epochs[0]) == set(epochs[1])
    assert len(epochs[0]) == images
    assert batches.cardinality() == -(-images // 16)


def test_augmentation_is_fixed_by_its_seed_and_new_in_every_epoch(
    prepared: Path, written: Written, params: Params
) -> None:
    def epochs() -> list[np.ndarray]:
        layer = Augmentation(params.train.augment, seed=4)
        batches = dataset(prepared, "train", batch_size=5, augment=layer)
        return [np.concatenate([i for i, _ in batches.as_numpy_iterator()]) for _ in range(2)]

    first, again = epochs(), epochs()
    plain = np.stack([record.pixels for record in written["train"]])
    np.testing.assert_array_equal(first, again)
    assert first[0].shape == plain.shape
    assert (first[0] != plain).any()
    assert (first[0] != first[1]).any()
    assert (first[0][:5] - plain[:5] != first[0][5:10] - plain[5:10]).any()


class _Add(keras.layers.Layer):  # type: ignore[misc]
    """A change without chance."""

    def call(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "images": data["images"] + 1}


def test_augmentation_without_chance_is_applied(prepared: Path) -> None:
    assert ids(dataset(prepared, "val", batch_size=4, augment=_Add())) == list(range(1, 8))


def test_targets_are_rows_of_the_labels_and_empty_without_one(
    prepared: Path, written: Written
) -> None:
    for images, targets in dataset(prepared, "train", batch_size=16, augment=_Add()):
        numbers = [int(image[3, 3, 0]) - 1 for image in images.numpy()]
        for head, classes in (("style", 2), ("category", 3)):
            labels = np.array([written["train"][number].labels[head] for number in numbers])
            expected = labels[:, None] == np.arange(classes)
            np.testing.assert_array_equal(targets[head], expected)
            assert targets[head].dtype == tf.float32


def test_targets_of_mixed_images_have_the_mass_of_what_is_known(
    prepared: Path, written: Written, params: Params
) -> None:
    off = dict.fromkeys(params.train.augment.model_dump(), 0)
    layer = Augmentation(AugmentParams.model_validate({**off, "mixup": 1.0}), seed=2)
    batches = list(dataset(prepared, "train", batch_size=2, augment=layer))
    masses = []
    for number, (images, targets) in enumerate(batches):
        pair = written["train"][2 * number : 2 * number + 2]
        # The pixels of image n are n everywhere.
        share = images.numpy()[:, 3, 3, :1] - 2 * number
        for head, classes in (("style", 2), ("category", 3)):
            first, second = (record.labels[head] == np.arange(classes) for record in pair)
            expected = (1 - share) * first + share * second
            np.testing.assert_allclose(targets[head], expected, atol=1e-4)
            masses += targets[head].numpy().sum(axis=1).tolist()
    assert min(masses) < 0.01
    assert max(masses) > 0.99
    assert any(0.2 < mass < 0.8 for mass in masses)


@pytest.mark.slow
def test_everything_at_once_is_fixed_by_the_seed_and_keeps_shape_and_range(
    prepared: Path, params: Params
) -> None:
    strong = dict.fromkeys(["randaugment", "erasing", "mixup", "cutmix"], 0.5)
    section = params.train.augment.model_copy(update=strong)

    def epoch() -> list[Any]:
        layer = Augmentation(section, seed=4)
        batches = dataset(prepared, "train", batch_size=16, augment=layer, shuffle_seed=1)
        return list(batches.unbatch().as_numpy_iterator())

    first, again = epoch(), epoch()
    assert len(first) == 50
    for (images, targets), (same, same_targets) in zip(first, again, strict=True):
        np.testing.assert_array_equal(images, same)
        for head, row in targets.items():
            np.testing.assert_array_equal(row, same_targets[head])
            assert -1e-6 <= row.sum() <= 1 + 1e-6
        assert images.shape == (6, 4, 3)
        assert images.min() >= 0
        assert images.max() <= 255.001


def test_a_missing_shard_is_named_before_training(prepared: Path) -> None:
    (prepared / "train" / "shard-00000-of-00004.tfrecord").unlink()
    with pytest.raises(PreparedDataError, match=r"shard-00000-of-00004\.tfrecord is missing"):
        dataset(prepared, "train", batch_size=4)
