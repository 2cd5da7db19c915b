"""How good a network is on the val split while it is trained."""

import math
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from vitrine.core.errors import ModelError, PreparedDataError
from vitrine.core.taxonomy import UNKNOWN, Head
from vitrine.models.losses import MaskedCrossentropy
from vitrine.training.history import SCORE


class Validation:
    """Measures networks by their answers for a whole split, whose labels it reads only once.

    Args:
        batches: Images and by head their labels; -1 = unknown.
        weights: By head of the network, of its loss in the sum.
        smoothing: Of the labels in the loss.

    Raises:
        PreparedDataError: No image of the split has a label.
    """

    def __init__(
        self, batches: tf.data.Dataset, weights: Mapping[Head, float], smoothing: float
    ) -> None:
        self._batches, self._weights = batches, weights
        self._loss = MaskedCrossentropy(smoothing)
        self._labels = _labels(batches, list(weights))

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Return what a network achieves; its outputs are logits.

        Returns:
            `val_loss`, for each head with a labelled image its accuracy and macro F1 (over the
            classes that occur), and the mean of the macro F1 values.

        Raises:
            ModelError: The loss is infinite or not a number.
        """
        logits = model.predict(self._batches, verbose=0)
        metrics, scores, total = {}, {}, 0.0
        for head, weight in self._weights.items():
            known = self._labels[head] != UNKNOWN
            if not known.any():
                continue
            truth, answers = self._labels[head][known], logits[head][known]
            chosen = answers.argmax(axis=-1)
            total += weight * float(
                self._loss(np.eye(answers.shape[-1], dtype=np.float32)[truth], answers)
            )
            metrics[f"val_{head}_accuracy"] = float((chosen == truth).mean())
            scores[head] = float(
                f1_score(truth, chosen, labels=np.unique(truth), average="macro", zero_division=0)
            )
            metrics[f"val_{head}_macro_f1"] = scores[head]
        if not math.isfinite(total):
            raise ModelError(
                f"the loss became {total} on val: the training diverged; lower "
                "train.learning_rate, or raise train.warmup_share"
            )
        return {"val_loss": total, **metrics, SCORE: sum(scores.values()) / len(scores)}


def _labels(batches: tf.data.Dataset, heads: Sequence[Head]) -> dict[Head, NDArray[np.int64]]:
    parts = list(batches.map(lambda _, labels: labels).as_numpy_iterator())
    if not parts:
        raise PreparedDataError("the val split is empty: raise prepare.val_share")
    labels = {head: np.concatenate([part[head] for part in parts]) for head in heads}
    if all((known == UNKNOWN).all() for known in labels.values()):
        raise PreparedDataError(
            "the val split has no labelled image, so that no epoch can be chosen as the best: "
            "raise prepare.val_share, or label more images"
        )
    return labels
