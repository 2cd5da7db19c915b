"""How true probabilities are."""

from collections.abc import Callable

import numpy as np
import pytest

from vitrine.evaluation.answers import HeadAnswers
from vitrine.evaluation.reliability import calibration_error, reliability

Given = Callable[..., HeadAnswers]


def test_answers_are_put_into_intervals_of_confidence(given: Given) -> None:
    head = given([0, 1, 0, 0], [[0.55, 0.45], [0.6, 0.4], [0.95, 0.05], [1.0, 0.0]])
    middle, last = reliability(head, bins=5)
    assert (middle.low, middle.high, middle.images) == (0.4, 0.6, 2)
    assert (middle.confidence, middle.accuracy) == (pytest.approx(0.575), 0.5)
    assert (last.images, last.accuracy) == (2, 1)
    assert calibration_error([middle, last]) == pytest.approx((2 * 0.075 + 2 * 0.025) / 4)


def test_no_answer_is_lost(drawn: Callable[..., HeadAnswers]) -> None:
    for bins in (1, 7, 15):
        assert sum(b.images for b in reliability(drawn(500, "abcd"), bins)) == 500


def test_true_probabilities_have_a_small_error_and_boasting_ones_a_large_one(
    drawn: Callable[..., HeadAnswers],
) -> None:
    head = drawn(20_000, "abcd")
    assert calibration_error(reliability(head, 15)) < 0.02
    boasting = head.probabilities**3
    boasting /= boasting.sum(axis=1, keepdims=True)
    louder = HeadAnswers("style", head.classes, head.names, head.labels, boasting)
    assert calibration_error(reliability(louder, 15)) > 0.1


def test_a_sure_answer_is_in_the_last_interval(given: Given) -> None:
    [only] = reliability(given([0], [[1.0, 0.0]]), bins=10)
    assert (only.high, only.accuracy) == (1.0, 1.0)
    assert np.isclose(only.low, 0.9)
