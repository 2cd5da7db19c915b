"""The shards of a split as a `tf.data.Dataset` that keeps a device busy."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from vitrine.core.taxonomy import HEADS
from vitrine.inputs.summary import Summary

# The shards hold the images in random order already, so that the buffer only has to make the
# epochs differ; it may not grow with the data.
SHUFFLE_BYTES = 64 * 2**20
OPEN_SHARDS = 8
READ_BYTES = 256 * 2**10
WORKERS = os.cpu_count() or 1
AHEAD = 4
"""Batches that are ready before they are asked for."""


def dataset(
    folder: Path,
    split: str,
    *,
    batch_size: int,
    shuffle_seed: int | None = None,
    augment: keras.layers.Layer | None = None,
    limit: int | None = None,
) -> tf.data.Dataset:
    """Return batches of a split: (images, {"style": labels, "category": labels}).

    Images are (batch, height, width, 3) float32 in 0..255; labels are (batch,) int64 indices, -1 =
    unknown. With `augment` they are targets instead, (batch, classes) float32: a row sums to 1
    where the label is known, to 0 where not, and for a mixture of images to the share of those
    whose label is known. The number of batches is known to the dataset; the last one may be
    smaller.

    Args:
        folder: The folder of prepared shards, with its summary.json.
        split: `train`, `val` or `test`.
        batch_size: Images in a batch.
        shuffle_seed: Another order in every epoch, the same orders for the same seed; without one,
            the order of the shards.
        augment: Changes batches at random: a layer without weights that takes and returns
            {"images": images, "labels": the heads' targets side by side}, in the same shapes. Its
            seed decides the changes, however many threads make them.
        limit: At most this many images: always the same ones, a random sample of the split.

    Raises:
        PreparedDataError: A file is missing; the message names it.
    """
    summary = Summary.load(folder)
    records = _records(summary.shard_paths(folder, split), shuffle_seed, limit)
    images = summary.splits[split].images
    if limit is not None:
        records = records.take(limit)
        images = min(images, limit)
    if shuffle_seed is not None:
        buffer = SHUFFLE_BYTES // math.prod(summary.image_shape)
        records = records.shuffle(max(1, min(images, buffer)), seed=shuffle_seed)
    batches = records.batch(batch_size)
    if augment is None:
        batches = batches.map(
            _parser(summary.image_shape), num_parallel_calls=WORKERS, deterministic=True
        )
    else:
        batches = _augmented(batches, augment, summary)
    counted = batches.apply(tf.data.experimental.assert_cardinality(math.ceil(images / batch_size)))
    return untuned(counted.prefetch(AHEAD))


def untuned(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Return a pipeline that TensorFlow does not tune while it runs.

    When an iteration ends, what tunes it sleeps on until its next look, which is due after twice as
    long each time: epochs of 3 seconds were seen to take 5, and a look may be a minute away.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)


def _records(paths: list[Path], shuffle_seed: int | None, limit: int | None) -> tf.data.Dataset:
    shards = tf.data.Dataset.from_tensor_slices([str(path) for path in paths])
    if shuffle_seed is None or limit is not None:
        return tf.data.TFRecordDataset(shards, buffer_size=READ_BYTES)
    open_shards = min(OPEN_SHARDS, len(paths))
    return shards.shuffle(len(paths), seed=shuffle_seed).interleave(
        lambda shard: tf.data.TFRecordDataset(shard, buffer_size=READ_BYTES),
        cycle_length=open_shards,
        block_length=16,
        num_parallel_calls=min(WORKERS, open_shards),
        deterministic=True,
    )


def _parser(shape: tuple[int, int, int]) -> Callable[[Any], Any]:
    # Whole batches at once: one call of each operation instead of one an image.
    features: dict[str, Any] = {head: tf.io.FixedLenFeature([], tf.int64) for head in HEADS}
    features["pixels"] = tf.io.FixedLenFeature([], tf.string)

    def parse(serialised: Any) -> Any:
        example = tf.io.parse_example(serialised, features)
        pixels = tf.reshape(tf.io.decode_raw(example["pixels"], tf.uint8), (-1, *shape))
        return tf.cast(pixels, tf.float32), {head: example[head] for head in HEADS}

    return parse


def _augmented(
    batches: tf.data.Dataset, layer: keras.layers.Layer, summary: Summary
) -> tf.data.Dataset:
    parse = _parser(summary.image_shape)
    classes = [len(summary.taxonomy.names(head)) for head in HEADS]
    # Each call of a layer changes the states that it draws from. In parallel, chance would decide
    # which batch gets which; so every batch brings the states that it is to be changed with.
    layer.build({"images": (None, *summary.image_shape), "labels": (None, sum(classes))})
    states = layer.non_trainable_variables
    seed = sum(int(state[0]) for state in states)
    draws = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)

    def change(serialised: Any, drawn: Any) -> Any:
        images, labels = parse(serialised)
        # An unknown label, -1, becomes a row of zeros.
        rows = [tf.one_hot(labels[head], count) for head, count in zip(HEADS, classes, strict=True)]
        data = {"images": images, "labels": tf.concat(rows, axis=-1)}
        own = tf.unstack(tf.reshape(drawn[1:], (len(states), 2)))
        changed = layer.stateless_call([], own, data)[0]
        targets = tf.split(changed["labels"], classes, axis=-1)
        return changed["images"], dict(zip(HEADS, targets, strict=True))

    # One number more than needed: a layer without chance would ask for batches of none.
    pairs = tf.data.Dataset.zip(batches, draws.batch(2 * len(states) + 1))
    return pairs.map(change, num_parallel_calls=WORKERS, deterministic=True)
