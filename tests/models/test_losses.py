"""The loss and the metric for mixed and missing targets give the numbers of the formulas."""

import math

import numpy as np
import pytest
import tensorflow as tf

from vitrine.models.losses import MaskedAccuracy, MaskedCrossentropy, log_prior

# Softmax: (0.8, 0.2), (0.5, 0.5), (0.1, 0.9).
LOGITS = np.log(np.array([[0.8, 0.2], [0.5, 0.5], [0.1, 0.9]], "float32"))
FIRST, SECOND, UNKNOWN = [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]


@pytest.mark.parametrize(
    ("targets", "smoothing", "expected"),
    [
        ([FIRST, SECOND, SECOND], 0.0, -(math.log(0.8) + math.log(0.5) + math.log(0.9)) / 3),
        ([FIRST, UNKNOWN, FIRST], 0.0, -(math.log(0.8) + math.log(0.1)) / 2),
        ([FIRST, UNKNOWN, UNKNOWN], 0.1, -(0.95 * math.log(0.8) + 0.05 * math.log(0.2))),
        (
            [[0.25, 0.25], UNKNOWN, SECOND],
            0.0,
            -(0.25 * math.log(0.8) + 0.25 * math.log(0.2) + math.log(0.9)) / 1.5,
        ),
        ([[0.01, 0.0], UNKNOWN, UNKNOWN], 0.0, -0.01 * math.log(0.8)),
        ([UNKNOWN, UNKNOWN, UNKNOWN], 0.0, 0.0),
        ([UNKNOWN, UNKNOWN, UNKNOWN], 0.1, 0.0),
    ],
)
def test_only_what_is_known_counts(
    targets: list[list[float]], smoothing: float, expected: float
) -> None:
    loss = float(MaskedCrossentropy(smoothing)(np.array(targets), LOGITS))
    assert loss == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_mixtures_smoothing_and_adjustment_together_follow_the_formula() -> None:
    chance = np.random.default_rng(3)
    logits = chance.normal(size=(9, 4)).astype("float32")
    # Masses from 0 to 1.
    targets = chance.dirichlet(np.ones(4), 9) * np.linspace(0, 1, 9)[:, None]
    adjustment = log_prior([5, 1, 30, 4], 0.7)
    scores = np.exp(logits + adjustment)
    log_probability = np.log(scores / scores.sum(axis=1, keepdims=True))
    wanted = 0.8 * targets + 0.2 * targets.sum(axis=1, keepdims=True) / 4
    expected = -(wanted * log_probability).sum() / targets.sum()
    found = MaskedCrossentropy(0.2, adjustment)(targets.astype("float32"), logits)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_a_batch_without_labels_gives_no_gradient_and_no_nan() -> None:
    logits = tf.Variable(LOGITS * 1e4)
    with tf.GradientTape() as tape:
        loss = MaskedCrossentropy(0.1)(np.zeros((3, 2)), logits)
    np.testing.assert_array_equal(tape.gradient(loss, logits).numpy(), np.zeros((3, 2)))


def test_the_prior_is_the_log_of_the_shares() -> None:
    prior = log_prior([10, 30, 60], 0.5)
    assert prior.dtype == np.float32
    np.testing.assert_allclose(prior, 0.5 * np.log([0.1, 0.3, 0.6]), rtol=1e-6)
    np.testing.assert_array_equal(log_prior([10, 30, 60], 0.0), np.zeros(3))


@pytest.mark.parametrize(
    ("counts", "expected"), [([0, 4, 4], [0, -0.693147, -0.693147]), ([0], [0])]
)
def test_a_class_without_images_is_not_favoured(counts: list[int], expected: list[float]) -> None:
    np.testing.assert_allclose(log_prior(counts, 1.0), expected, rtol=1e-5)


def test_adjusted_logits_find_the_balanced_answer_behind_unequal_shares() -> None:
    # For images that tell nothing, the best adjusted logits are the shares: the bare ones are even.
    counts = [90, 10]
    targets = np.repeat(np.eye(2, dtype="float32"), counts, axis=0)
    loss = MaskedCrossentropy(0.0, log_prior(counts, 1.0))
    even = tf.Variable(np.zeros((100, 2), "float32"))
    with tf.GradientTape() as tape:
        value = loss(targets, even)
    np.testing.assert_allclose(tape.gradient(value, even).numpy().sum(axis=0), 0, atol=1e-6)


def test_unknown_labels_are_no_wrong_answers() -> None:
    metric = MaskedAccuracy(name="accuracy")
    metric.update_state(np.array([FIRST, UNKNOWN, FIRST]), LOGITS)
    assert float(metric.result()) == pytest.approx(0.5)
    metric.reset_state()
    metric.update_state(np.array([[0.5, 0.2], UNKNOWN, [0.2, 0.1]]), LOGITS)
    assert float(metric.result()) == pytest.approx(0.5)
    metric.reset_state()
    metric.update_state(np.array([UNKNOWN, UNKNOWN, UNKNOWN]), LOGITS)
    assert float(metric.result()) == 0.0
