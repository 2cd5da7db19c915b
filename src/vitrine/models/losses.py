"""A loss and a metric for targets that may be mixed, or missing."""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray


class MaskedCrossentropy(keras.losses.Loss):  # type: ignore[misc]
    """The cross-entropy of a head with targets that need not sum to 1.

    A row t of the targets has the mass m = sum_c t_c: 1 for a known label, 0 for an unknown one,
    and between them for a mixture of both kinds. With smoothing s over C classes, the wanted
    distribution is (1 - s) t_c + s m / C (Szegedy et al. 2016). The loss is the sum over all
    images, divided by the sum of their masses; a batch without any costs 0. A smaller sum than 1
    counts as 1: a mixture may leave a hundredth of the only known label of a batch, which must not
    weigh as much as a whole one.

    Args:
        label_smoothing: The share s of the probability that is spread over all classes, below 1.
        adjustment: `(classes,)`, added to the logits; see `log_prior`.
    """

    def __init__(
        self, label_smoothing: float, adjustment: NDArray[np.float32] | None = None
    ) -> None:
        super().__init__(name="masked_crossentropy")
        self.label_smoothing, self.adjustment = label_smoothing, adjustment

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Return one number for targets and logits, both `(batch, classes)`."""
        logits = y_pred if self.adjustment is None else y_pred + self.adjustment
        log_probability = keras.ops.log_softmax(logits)
        targets = keras.ops.cast(y_true, log_probability.dtype)
        mass = keras.ops.sum(targets, axis=-1, keepdims=True)
        classes = y_pred.shape[-1]
        wanted = (1 - self.label_smoothing) * targets + self.label_smoothing * mass / classes
        total = keras.ops.maximum(keras.ops.sum(mass), 1)
        return -keras.ops.sum(wanted * log_probability) / total


def log_prior(counts: Sequence[int], tau: float) -> NDArray[np.float32]:
    """Return what is added to the logits while training, for rare classes to be told as well.

    `tau * log(share)`: the network then learns logits for classes of equal shares (Menon et al.
    2021, "Long-tail learning via logit adjustment"). A class without images has no share to make up
    for and gets 0, so that it is not favoured.

    Args:
        counts: `(classes,)`, the images of each class in train.
        tau: 0 changes nothing, 1 makes up for the shares in full.

    Returns:
        `(classes,)`, at most 0.
    """
    images = np.asarray(counts, np.float64)
    shares = np.where(images > 0, images / max(1, images.sum()), 1)
    prior: NDArray[np.float32] = (tau * np.log(shares)).astype(np.float32)
    return prior


class MaskedAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]
    """The share of right answers among the images that have a target.

    The answer to a mixture is right if it is the class with the largest part in it.
    """

    def update_state(
        self,
        y_true: keras.KerasTensor,
        y_pred: keras.KerasTensor,
        sample_weight: keras.KerasTensor | None = None,
    ) -> None:
        """Count targets against logits, both `(batch, classes)`."""
        known = keras.ops.cast(keras.ops.any(y_true > 0, axis=-1), self.dtype)
        weight = known if sample_weight is None else known * sample_weight
        super().update_state(y_true, y_pred, weight)
