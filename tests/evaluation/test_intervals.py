"""The bootstrap."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from vitrine.evaluation.answers import HeadAnswers
from vitrine.evaluation.intervals import Bootstrap, Intervals, intervals
from vitrine.evaluation.metrics import class_scores, measures
from vitrine.evaluation.reliability import calibration_error, reliability

Given = Callable[..., HeadAnswers]
Drawn = Callable[..., HeadAnswers]


def _alone(head: HeadAnswers, resamples: int, seed: int = 1) -> Intervals:
    return intervals(head, Bootstrap(np.arange(len(head.labels)), 10, resamples, seed))


@pytest.mark.parametrize("images", [100, 1000])
def test_the_interval_of_accuracy_is_the_binomial_one(drawn: Drawn, images: int) -> None:
    head = drawn(images, "abcde")
    accuracy = float((head.answers == head.labels).mean())
    low, high = _alone(head, 4000).measures["accuracy"]
    error = 1.96 * np.sqrt(accuracy * (1 - accuracy) / images)
    assert (low, high) == pytest.approx((accuracy - error, accuracy + error), abs=0.2 * error)


def test_an_interval_holds_what_was_measured(drawn: Drawn) -> None:
    head = drawn(400, "abcd")
    scores = class_scores(head)
    found = _alone(head, 400)
    figures = measures(head, scores)
    figures["calibration_error"] = calibration_error(reliability(head, 10))
    assert found.measures.keys() == figures.keys()
    for name, (low, high) in found.measures.items():
        assert low < figures[name] < high, name
    for name, of_classes in found.classes.items():
        for (low, high), score in zip(of_classes, scores, strict=True):
            assert low < getattr(score, name) < high


def test_the_intervals_of_classes_agree_with_scikit_learn_on_drawn_images(drawn: Drawn) -> None:
    head = drawn(300, "abc")
    generator = np.random.default_rng(2)
    strata = [np.flatnonzero(head.labels == c) for c in range(3)]
    draws = []
    for _ in range(400):
        rows = np.concatenate([generator.choice(of, len(of)) for of in strata])
        draws.append(
            precision_recall_fscore_support(
                head.labels[rows], head.answers[rows], labels=range(3), zero_division=0
            )[:3]
        )
    found = _alone(head, 2000)
    for place, name in enumerate(("precision", "recall", "f1")):
        values = np.array([draw[place] for draw in draws])
        expected = np.percentile(values, (2.5, 97.5), axis=0).T
        np.testing.assert_allclose(found.classes[name], expected, atol=0.03)
        macro = tuple(np.percentile(values.mean(axis=1), (2.5, 97.5)))
        assert found.measures[f"macro_{name}"] == pytest.approx(macro, abs=0.02)
    assert found.measures["balanced_accuracy"] == found.measures["macro_recall"]


def test_means_over_images_agree_with_drawing_the_images(drawn: Drawn) -> None:
    head = drawn(300, "abcd")
    generator = np.random.default_rng(3)
    draws = []
    for _ in range(400):
        rows = generator.integers(0, 300, 300)
        again = HeadAnswers(
            "style", head.classes, [""] * 300, head.labels[rows], head.probabilities[rows]
        )
        draws.append(measures(again, class_scores(again)))
    found = _alone(head, 2000).measures
    for name in ("top3_accuracy", "log_loss", "brier", "weighted_precision", "weighted_f1"):
        low, high = np.percentile([draw[name] for draw in draws], (2.5, 97.5))
        assert found[name] == pytest.approx((low, high), abs=0.2 * (high - low)), name


def test_views_of_one_product_make_nothing_surer(drawn: Drawn) -> None:
    one = drawn(150, "abcd")
    views = HeadAnswers(
        "style",
        one.classes,
        [""] * 600,
        np.repeat(one.labels, 4),
        np.repeat(one.probabilities, 4, axis=0),
    )
    products = np.repeat(np.arange(150), 4)
    found = intervals(views, Bootstrap(products, 10, 300, seed=1))
    once, narrower = _alone(one, 300), _alone(views, 300)
    for name, (low, high) in found.measures.items():
        assert (low, high) == pytest.approx(once.measures[name]), name
        assert narrower.measures[name][1] - narrower.measures[name][0] < 0.75 * (high - low), name
    for name, of_classes in found.classes.items():
        np.testing.assert_allclose(of_classes, once.classes[name])


def test_a_class_with_one_image_is_in_every_resample(given: Given) -> None:
    right = [[0.9, 0.1]] * 50
    found = _alone(given([0] * 50 + [1], [*right, [0.9, 0.1]]), 200)
    low, high = found.measures["macro_f1"]
    assert low == high == pytest.approx(100 / 101 / 2)
    assert found.classes["recall"] == [(1, 1), (0, 0)]


def test_the_calibration_error_is_not_made_worse_by_repeated_images(drawn: Drawn) -> None:
    head = drawn(200, "abcd")
    error = calibration_error(reliability(head, 10))
    low, high = _alone(head, 1000).measures["calibration_error"]
    assert 0 <= low < error < high < error + 0.1


def test_the_seed_decides(drawn: Drawn) -> None:
    head = drawn(60, "abc")
    assert _alone(head, 50) == _alone(head, 50)
    assert _alone(head, 50) != _alone(head, 50, seed=2)


@pytest.mark.slow
def test_the_interval_of_clustered_answers_covers_the_truth() -> None:
    """Views of a product are right with its own chance, whose mean is 0.75."""
    generator = np.random.default_rng(4)
    products = np.repeat(np.arange(120), 3)
    covered = 0
    for seed in range(200):
        chance = generator.beta(1.5, 0.5, 120)[products]
        right = generator.random(360) < chance
        probabilities = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])
        head = HeadAnswers("style", ("a", "b"), [""] * 360, np.zeros(360, np.int64), probabilities)
        low, high = intervals(head, Bootstrap(products, 5, 200, seed)).measures["accuracy"]
        covered += low <= 0.75 <= high
    assert 0.9 <= covered / 200 <= 0.99
