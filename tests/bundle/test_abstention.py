"""From which confidence on a head is sure."""

from collections.abc import Sequence

import numpy as np
import pytest

from vitrine.bundle.abstention import NEVER_SURE, threshold


def _found(confidence: Sequence[float], right: Sequence[bool], precision: float) -> float:
    """Return the threshold for answers of two classes, of which the first is always true."""
    first = np.where(right, confidence, 1 - np.array(confidence))
    return threshold(np.stack([first, 1 - first], axis=1), np.zeros(len(right), int), precision)


def test_the_lowest_confidence_is_taken_above_which_enough_are_right() -> None:
    confidence = np.linspace(0.99, 0.6, 40)
    right = np.arange(40) < 30
    # With 30 right and one wrong answer, plus one that is counted, 30/32 are right: 93.75 %.
    expected = (confidence[30] + confidence[31]) / 2
    assert _found(confidence, right, 0.9375) == pytest.approx(expected)


def test_a_wrong_answer_among_sure_ones_does_not_end_the_search() -> None:
    confidence = np.linspace(0.99, 0.6, 100)
    right = np.arange(100) != 1
    assert _found(confidence, right, 0.95) == pytest.approx(0.6)


def test_a_handful_of_right_answers_proves_nothing() -> None:
    assert _found([0.9] * 18, [True] * 18, 0.95) == NEVER_SURE
    assert _found([0.9] * 19, [True] * 19, 0.95) == pytest.approx(0.9)


def test_answers_of_one_confidence_are_taken_together() -> None:
    confidence = [0.9] * 30 + [0.7] * 10
    right = [True] * 32 + [False] * 8
    assert _found(confidence, right, 0.95) == pytest.approx(0.8)


def test_where_no_confidence_is_enough_no_answer_is_sure() -> None:
    assert _found([0.9] * 40, [True, False] * 20, 0.95) == NEVER_SURE
    assert _found([0.9] * 40, [True] * 40, 1.0) == NEVER_SURE


@pytest.mark.parametrize("images", [0, 5])
def test_without_labels_no_answer_is_sure(images: int) -> None:
    assert threshold(np.full((images, 3), 1 / 3), np.full(images, -1), 0.5) == NEVER_SURE


def test_unknown_labels_do_not_count() -> None:
    probabilities = np.array([[0.9, 0.1]] * 20 + [[0.4, 0.6]] * 20)
    labels = np.array([0] * 20 + [-1] * 20)
    assert threshold(probabilities, labels, 0.95) == pytest.approx(0.9)
