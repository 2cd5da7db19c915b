"""What is left when unsure answers are withheld."""

from collections.abc import Callable

import numpy as np
import pytest

from vitrine.evaluation.abstention import POINTS, Covered, abstain
from vitrine.evaluation.answers import HeadAnswers

Given = Callable[..., HeadAnswers]

ROWS = [[0.9, 0.1], [0.8, 0.2], [0.8, 0.2], [0.4, 0.6]]
"""Answers a, a, a, b."""


def test_a_threshold_leaves_the_answers_at_or_above_it(given: Given) -> None:
    found = abstain(given([0, 0, 1, 0], ROWS), 0.8, 0.95)
    assert (found.images, found.coverage) == (3, 0.75)
    assert found.accuracy == pytest.approx(2 / 3)
    assert (found.threshold, found.precision) == (0.8, 0.95)


def test_answers_of_one_confidence_are_left_together(given: Given) -> None:
    assert abstain(given([0, 0, 1, 0], ROWS), 0.8, 0.95).curve == [
        Covered(0.9, 0.25, 1.0),
        Covered(0.8, 0.75, pytest.approx(2 / 3)),
        Covered(0.6, 1.0, 0.5),
    ]


def test_without_a_sure_answer_there_is_no_accuracy(given: Given) -> None:
    found = abstain(given([0, 0, 1, 0], ROWS), 2.0, 0.95)
    assert (found.images, found.coverage, found.accuracy) == (0, 0, None)


def test_a_long_curve_is_thinned_and_keeps_its_ends(drawn: Callable[..., HeadAnswers]) -> None:
    head = drawn(3000, "abc")
    curve = abstain(head, 0.5, 0.95).curve
    assert len(curve) == POINTS
    assert curve[0].threshold == head.confidence.max()
    assert curve[-1].coverage == 1
    assert curve[-1].accuracy == pytest.approx(np.mean(head.answers == head.labels))
    for point in curve[::20]:
        sure = head.confidence >= point.threshold
        assert point.coverage == pytest.approx(sure.mean())
        assert point.accuracy == pytest.approx((head.answers == head.labels)[sure].mean())
