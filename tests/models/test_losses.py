"""The masked loss and metric give the numbers that one gets by hand."""

import math

import numpy as np
import pytest

from vitrine.models.losses import MaskedAccuracy, MaskedCrossentropy

# Softmax: (0.8, 0.2), (0.5, 0.5), (0.1, 0.9).
LOGITS = np.log(np.array([[0.8, 0.2], [0.5, 0.5], [0.1, 0.9]], "float32"))


@pytest.mark.parametrize(
    ("labels", "smoothing", "expected"),
    [
        ([0, 1, 1], 0.0, -(math.log(0.8) + math.log(0.5) + math.log(0.9)) / 3),
        ([0, -1, 0], 0.0, -(math.log(0.8) + math.log(0.1)) / 2),
        ([0, -1, -1], 0.1, -(0.95 * math.log(0.8) + 0.05 * math.log(0.2))),
        ([-1, -1, -1], 0.0, 0.0),
        ([-1, -1, -1], 0.1, 0.0),
    ],
)
def test_only_known_labels_count(labels: list[int], smoothing: float, expected: float) -> None:
    loss = float(MaskedCrossentropy(smoothing)(np.array(labels), LOGITS))
    assert loss == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_a_batch_without_labels_gives_no_gradient_and_no_nan() -> None:
    import tensorflow as tf

    logits = tf.Variable(LOGITS * 1e4)
    with tf.GradientTape() as tape:
        loss = MaskedCrossentropy(0.1)(np.array([-1, -1, -1]), logits)
    np.testing.assert_array_equal(tape.gradient(loss, logits).numpy(), np.zeros((3, 2)))


def test_unknown_labels_are_no_wrong_answers() -> None:
    metric = MaskedAccuracy()
    metric.update_state(np.array([0, -1, 0]), LOGITS)
    assert float(metric.result()) == pytest.approx(0.5)
    metric.reset_state()
    metric.update_state(np.array([-1, -1, -1]), LOGITS)
    assert float(metric.result()) == 0.0
