"""What labels say about an embedding that was learned without them."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from vitrine.core.taxonomy import HEADS, UNKNOWN, Head
from vitrine.inputs.pipeline import dataset
from vitrine.inputs.summary import Summary

NEIGHBOURS = 20
TRAIN_IMAGES = 4000
VAL_IMAGES = 1000
BATCH = 256

Labels = dict[Head, NDArray[np.int64]]


def knn_accuracy(encoder: keras.Model, prepared: Path) -> dict[str, float]:
    """Measure how often the nearest images of train have a val image's label.

    The vote of the 20 nearest by cosine similarity (Wu et al. 2018), from a sample of both splits.

    Args:
        encoder: From images `(batch, height, width, 3)` to embeddings `(batch, n)`.
        prepared: The folder of prepared shards.

    Returns:
        By head, `val_<head>_knn_accuracy`; a head without labels in both splits is left out.

    Raises:
        PreparedDataError: A shard is missing.
    """
    known, labels = _embed(encoder, prepared, "train", TRAIN_IMAGES)
    asked, truth = _embed(encoder, prepared, "val", VAL_IMAGES)
    metrics = {}
    for head in HEADS:
        here, there = labels[head] != UNKNOWN, truth[head] != UNKNOWN
        if here.any() and there.any():
            count = min(NEIGHBOURS, int(here.sum()))
            vote = KNeighborsClassifier(count, metric="cosine").fit(known[here], labels[head][here])
            right = vote.predict(asked[there]) == truth[head][there]
            metrics[f"val_{head}_knn_accuracy"] = float(right.mean())
    return metrics


def _embed(
    encoder: keras.Model, prepared: Path, split: str, limit: int
) -> tuple[NDArray[np.float32], Labels]:
    images = min(limit, Summary.load(prepared).splits[split].images)
    embedded = np.zeros((images, encoder.output.shape[-1]), np.float32)
    labels: Labels = {head: np.full(images, UNKNOWN) for head in HEADS}
    at = 0
    for batch, known in dataset(prepared, split, batch_size=BATCH, limit=limit):
        here = slice(at, at + len(batch))
        embedded[here] = encoder.predict_on_batch(batch)
        for head in HEADS:
            labels[head][here] = known[head]
        at += len(batch)
    return embedded, labels
