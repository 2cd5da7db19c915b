"""A loss and a metric that pass over images whose label is unknown."""

import keras

from vitrine.core.taxonomy import UNKNOWN


class MaskedCrossentropy(keras.losses.Loss):  # type: ignore[misc]
    """The cross-entropy of a head, averaged over the images whose label is known.

    With smoothing s over C classes, the wanted distribution is 1 - s + s / C at the label and s / C
    elsewhere (Szegedy et al. 2016). A batch without any label costs 0.

    Args:
        label_smoothing: The share s of the probability that is spread over all classes, below 1.
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "masked_crossentropy") -> None:
        super().__init__(name=name)
        self.label_smoothing = label_smoothing

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Return one number for labels `(batch,)`, -1 = unknown, and logits `(batch, classes)`."""
        log_probability = keras.ops.log_softmax(y_pred)
        classes = y_pred.shape[-1]
        labels = keras.ops.cast(keras.ops.reshape(y_true, (-1,)), "int32")
        # An unknown label, -1, becomes a row of zeros.
        wanted = keras.ops.one_hot(labels, classes, dtype=log_probability.dtype)
        known = keras.ops.cast(labels != UNKNOWN, log_probability.dtype)
        at_label = -keras.ops.sum(wanted * log_probability, axis=-1)
        everywhere = -keras.ops.mean(log_probability, axis=-1)
        each = (1 - self.label_smoothing) * at_label + self.label_smoothing * everywhere
        return keras.ops.sum(known * each) / keras.ops.maximum(keras.ops.sum(known), 1)


class MaskedAccuracy(keras.metrics.SparseCategoricalAccuracy):  # type: ignore[misc]
    """The share of right answers among the images whose label is known."""

    def update_state(
        self,
        y_true: keras.KerasTensor,
        y_pred: keras.KerasTensor,
        sample_weight: keras.KerasTensor | None = None,
    ) -> None:
        """Count labels `(batch,)`, -1 = unknown, against logits `(batch, classes)`."""
        known = keras.ops.cast(keras.ops.not_equal(y_true, UNKNOWN), self.dtype)
        weight = known if sample_weight is None else known * sample_weight
        super().update_state(y_true, y_pred, weight)
