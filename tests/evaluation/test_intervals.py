"""The bootstrap."""

from collections.abc import Callable

import numpy as np
import pytest

from vitrine.evaluation.answers import HeadAnswers
from vitrine.evaluation.intervals import intervals
from vitrine.evaluation.metrics import macro_f1

Given = Callable[..., HeadAnswers]


@pytest.mark.parametrize("images", [100, 1000])
def test_the_interval_of_accuracy_is_the_binomial_one(
    drawn: Callable[..., HeadAnswers], images: int
) -> None:
    head = drawn(images, "abcde")
    accuracy = float((head.answers == head.labels).mean())
    low, high = intervals(head, 4000, seed=1)["accuracy"]
    error = 1.96 * np.sqrt(accuracy * (1 - accuracy) / images)
    assert (low, high) == pytest.approx((accuracy - error, accuracy + error), abs=0.2 * error)


def test_the_interval_of_macro_f1_agrees_with_drawing_the_images(
    drawn: Callable[..., HeadAnswers],
) -> None:
    head = drawn(300, "abc")
    generator = np.random.default_rng(2)
    values = []
    for _ in range(400):
        rows = np.concatenate(
            [
                generator.choice(of, len(of))
                for c in range(3)
                if len(of := np.flatnonzero(head.labels == c))
            ]
        )
        names = [head.names[row] for row in rows]
        drawn_again = HeadAnswers(
            "style", head.classes, names, head.labels[rows], head.probabilities[rows]
        )
        values.append(macro_f1(drawn_again))
    expected = tuple(np.percentile(values, (2.5, 97.5)))
    assert intervals(head, 2000, seed=1)["macro_f1"] == pytest.approx(expected, abs=0.02)


def test_a_class_with_one_image_is_in_every_resample(given: Given) -> None:
    right = [[0.9, 0.1]] * 50
    low, high = intervals(given([0] * 50 + [1], [*right, [0.9, 0.1]]), 200, seed=1)["macro_f1"]
    assert low == high == pytest.approx(100 / 101 / 2)


def test_without_a_mistake_there_is_no_doubt_to_be_drawn(given: Given) -> None:
    head = given([0, 1], [[0.9, 0.1], [0.2, 0.8]])
    assert intervals(head, 50, seed=1) == {"accuracy": (1, 1), "macro_f1": (1, 1)}


def test_the_seed_decides(drawn: Callable[..., HeadAnswers]) -> None:
    head = drawn(60, "abc")
    assert intervals(head, 50, seed=1) == intervals(head, 50, seed=1)
    assert intervals(head, 50, seed=1) != intervals(head, 50, seed=2)
