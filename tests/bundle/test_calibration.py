"""The temperature of a head."""

import numpy as np
import pytest

from vitrine.bundle.calibration import COLDEST, softmax, temperature


def _drawn(true: float, images: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax at the temperature `true` is how often each class is right."""
    generator = np.random.default_rng(3)
    logits = generator.normal(0, 3, (images, classes))
    cumulative = softmax(logits, true).cumsum(axis=1)
    return logits, (generator.random((images, 1)) > cumulative).sum(axis=1)


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_behind_the_labels_is_found(true: float) -> None:
    logits, labels = _drawn(true, images=20_000, classes=6)
    assert temperature(logits, labels) == pytest.approx(true, rel=0.05)


def test_unknown_labels_do_not_count() -> None:
    logits, labels = _drawn(2.0, images=500, classes=4)
    more = np.concatenate([logits, -logits]), np.concatenate([labels, np.full(500, -1)])
    assert temperature(*more) == temperature(logits, labels)


def test_without_any_label_nothing_changes() -> None:
    assert temperature(np.ones((4, 3)), np.full(4, -1)) == 1


def test_a_single_class_has_nothing_to_calibrate() -> None:
    assert temperature(np.ones((4, 1)), np.zeros(4, int)) == 1


def test_a_few_answers_without_a_mistake_do_not_give_certainty() -> None:
    logits = 2 * np.eye(3)
    found = temperature(logits, np.arange(3))
    assert found > COLDEST * 2
    assert softmax(logits, found).max() < 0.95


def test_probabilities_of_huge_logits_are_finite() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, 0, -1e4]])), [[1, 0, 0]])
