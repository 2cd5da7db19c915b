"""The images that pretraining learns from: all of train, and those without any label."""

import math
from pathlib import Path

import tensorflow as tf

from vitrine.inputs.pipeline import AHEAD, dataset, untuned
from vitrine.inputs.summary import UNLABELLED, Summary

SPLITS = ("train", UNLABELLED)


def count(summary: Summary) -> int:
    """Return how many images there are."""
    return sum(summary.splits[split].images for split in _present(summary))


def batches(prepared: Path, *, batch_size: int, seed: int) -> tf.data.Dataset:
    """Return batches `(batch, height, width, 3)` float32 in 0 to 255, in a random order.

    Each image comes once; the number of batches is known, and the last one may be smaller.

    Args:
        prepared: The folder of prepared shards.
        batch_size: Images in a batch.
        seed: Of the order.

    Raises:
        PreparedDataError: A file is missing; the message names it.
    """
    summary = Summary.load(prepared)
    splits = _present(summary)
    parts = [
        dataset(prepared, split, batch_size=batch_size, shuffle_seed=seed).map(
            lambda images, _: images
        )
        for split in splits
    ]
    if len(parts) == 1:
        return parts[0]
    # A batch of one kind alone would be told apart by that kind.
    images = count(summary)
    shares = [summary.splits[split].images / images for split in splits]
    mixed = tf.data.Dataset.sample_from_datasets([p.unbatch() for p in parts], shares, seed)
    counted = tf.data.experimental.assert_cardinality(math.ceil(images / batch_size))
    return untuned(mixed.batch(batch_size).apply(counted).prefetch(AHEAD))


def _present(summary: Summary) -> list[str]:
    return [s for s in SPLITS if s in summary.splits and summary.splits[s].images]
