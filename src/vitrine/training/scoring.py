"""How good a network is on the val split while it is trained."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from vitrine.core.errors import PreparedDataError
from vitrine.core.taxonomy import UNKNOWN, Head
from vitrine.models.losses import MaskedCrossentropy
from vitrine.training.history import SCORE


def validate(
    model: keras.Model, batches: tf.data.Dataset, weights: Mapping[Head, float], smoothing: float
) -> dict[str, float]:
    """Measure a network from its predictions for a whole split.

    Args:
        model: The network; its outputs are logits.
        batches: Images and labels.
        weights: Of each head's loss in the sum.
        smoothing: Of the labels in the loss.

    Returns:
        `val_loss`, for each head with a labelled image its accuracy and macro F1 (over the classes
        that occur), and the mean of the macro F1 values.

    Raises:
        PreparedDataError: No image of the split has a label.
    """
    logits, labels = _predict(model, batches)
    metrics, scores, total = {}, {}, 0.0
    for head in model.output:
        known = labels[head] != UNKNOWN
        if not known.any():
            continue
        truth, answers = labels[head][known], logits[head][known]
        chosen = answers.argmax(axis=-1)
        total += weights[head] * float(MaskedCrossentropy(smoothing)(truth, answers))
        metrics[f"val_{head}_accuracy"] = float((chosen == truth).mean())
        scores[head] = float(
            f1_score(truth, chosen, labels=np.unique(truth), average="macro", zero_division=0)
        )
        metrics[f"val_{head}_macro_f1"] = scores[head]
    if not scores:
        raise PreparedDataError(
            "the val split has no labelled image, so that no epoch can be chosen as the best: "
            "raise prepare.val_share, or label more images"
        )
    return {"val_loss": total, **metrics, SCORE: sum(scores.values()) / len(scores)}


def _predict(
    model: keras.Model, batches: tf.data.Dataset
) -> tuple[dict[Head, NDArray[np.float32]], dict[Head, NDArray[np.int64]]]:
    logits: dict[Head, list[NDArray[np.float32]]] = {head: [] for head in model.output}
    labels: dict[Head, list[NDArray[np.int64]]] = {head: [] for head in model.output}
    for images, known in batches:
        answers = model.predict_on_batch(images)
        for head in model.output:
            logits[head].append(answers[head])
            labels[head].append(known[head].numpy())
    if not all(labels.values()):
        raise PreparedDataError("the val split is empty: raise prepare.val_share")
    return (
        {head: np.concatenate(parts) for head, parts in logits.items()},
        {head: np.concatenate(parts) for head, parts in labels.items()},
    )
