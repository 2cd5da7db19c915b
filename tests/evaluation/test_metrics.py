"""The figures of one head."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from vitrine.evaluation.answers import HeadAnswers
from vitrine.evaluation.metrics import class_scores, confusions, measures

Given = Callable[..., HeadAnswers]

ROWS = [
    [0.7, 0.2, 0.1, 0.0],
    [0.6, 0.3, 0.1, 0.0],
    [0.1, 0.8, 0.1, 0.0],
    [0.5, 0.1, 0.3, 0.1],
]
"""Answers a, a, b, a."""


def test_the_figures_are_those_of_the_definitions(given: Given) -> None:
    head = given([0, 1, 1, 2], ROWS)
    figures = measures(head, class_scores(head))
    assert figures["accuracy"] == 0.5
    assert figures["top3_accuracy"] == 1
    assert figures["balanced_accuracy"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert figures["macro_recall"] == figures["balanced_accuracy"]
    assert figures["macro_precision"] == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert figures["macro_f1"] == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)
    assert figures["weighted_f1"] == pytest.approx((1 / 2 + 2 * 2 / 3 + 0) / 4)
    assert figures["weighted_recall"] == figures["accuracy"]
    assert figures["log_loss"] == pytest.approx(-np.log([0.7, 0.3, 0.8, 0.3]).mean())
    squares = (
        0.09 + 0.04 + 0.01,
        0.36 + 0.49 + 0.01,
        0.01 + 0.04 + 0.01,
        0.25 + 0.01 + 0.49 + 0.01,
    )
    assert figures["brier"] == pytest.approx(np.mean(squares))


def test_a_class_that_never_occurs_lowers_no_average(given: Given) -> None:
    perfect = given([0, 2], [[0.9, 0.05, 0.05], [0.0, 0.1, 0.9]])
    assert measures(perfect, class_scores(perfect))["macro_f1"] == 1
    assert [score.name for score in class_scores(perfect)] == ["a", "c"]


def test_an_answer_that_never_occurs_counts_as_a_mistake(given: Given) -> None:
    head = given([0, 0], [[0.9, 0.1, 0.0], [0.1, 0.9, 0.0]])
    assert measures(head, class_scores(head))["macro_f1"] == pytest.approx(2 / 3)


def test_the_third_place_counts_and_the_fourth_does_not(given: Given) -> None:
    head = given([2, 3], [[0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]])
    assert measures(head, class_scores(head))["top3_accuracy"] == 0.5


def test_an_impossible_truth_gives_a_finite_loss(given: Given) -> None:
    head = given([1], [[1.0, 0.0]])
    assert measures(head, class_scores(head))["log_loss"] == pytest.approx(-np.log(1e-12))


def test_a_class_is_told_what_it_is_taken_for(given: Given) -> None:
    a, b, c = class_scores(given([0, 1, 1, 2], ROWS))
    assert (a.images, a.confused_with, a.confused_images) == (1, "", 0)
    assert (b.images, b.precision, b.recall, b.confused_with) == (2, 1, 0.5, "a")
    assert (c.confused_with, c.confused_images) == ("a", 1)


def test_a_single_class_is_no_fault(given: Given) -> None:
    [score] = class_scores(given([0, 0], [[1.0], [1.0]]))
    assert (score.images, score.f1, score.confused_with) == (2, 1, "")


def test_confusions_are_scikit_learns(drawn: Callable[..., HeadAnswers]) -> None:
    head = drawn(200, "abcd")
    wanted = confusion_matrix(head.labels, head.answers, labels=range(4))
    np.testing.assert_array_equal(confusions(head), wanted)
