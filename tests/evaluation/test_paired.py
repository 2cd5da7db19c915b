"""Paired statistics, against brute force and against simulation."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from vitrine.evaluation.paired import Discordance, discordance, macro_f1_change


def _alone(images: int, wins: int, losses: int) -> Discordance:
    """Counts of images without further views."""
    return Discordance(images, wins, losses, wins, losses, 1.0)


def _brute_score(counts: Discordance, difference: float) -> float:
    """The score statistic with the restricted maximum of the likelihood sought numerically."""
    n, b, c = counts.images, counts.wins, counts.losses

    def minus_log(losing: float) -> float:
        return -(
            b * np.log(losing + difference)
            + c * np.log(losing)
            + (n - b - c) * np.log(1 - 2 * losing - difference)
        )

    bounds = (max(0, -difference) + 1e-12, (1 - difference) / 2 - 1e-12)
    losing = minimize_scalar(minus_log, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    return float((b - c - n * difference) / np.sqrt(n * (2 * losing + difference - difference**2)))


@pytest.mark.parametrize(("images", "wins", "losses"), [(44, 3, 1), (1000, 40, 55), (200, 7, 2)])
@pytest.mark.parametrize("difference", [-0.1, -0.025, 0.05])
def test_the_score_is_that_of_the_most_likely_shares(
    images: int, wins: int, losses: int, difference: float
) -> None:
    counts = _alone(images, wins, losses)
    assert counts.score(difference) == pytest.approx(_brute_score(counts, difference), abs=1e-4)


@pytest.mark.parametrize(
    "counts", [_alone(1000, 40, 55), _alone(125, 0, 0), _alone(30, 0, 30), _alone(30, 30, 0)]
)
def test_bounds_are_where_the_score_is_a_quantile(counts: Discordance) -> None:
    low, high = counts.bounds(0.90)
    assert -1 <= low <= counts.difference <= high <= 1
    if low > -1:
        assert counts.score(low) == pytest.approx(1.6449, abs=1e-3)
    if high < 1:
        assert counts.score(high) == pytest.approx(-1.6449, abs=1e-3)


def test_a_design_effect_widens_the_bounds_as_fewer_images_would() -> None:
    clustered = Discordance(900, 36, 45, 12, 15, design=3.0)
    assert clustered.bounds(0.95) == pytest.approx(_alone(300, 12, 15).bounds(0.95), abs=1e-6)


def test_the_images_needed_are_enough() -> None:
    counts = _alone(300, 12, 13)
    low, _ = counts.bounds(0.90)
    assert low < -0.025
    times = counts.images_needed(0.025, 0.95) / 300
    larger = Discordance(round(300 * times), round(12 * times), round(13 * times), 0, 0, 1.0)
    assert larger.bounds(0.90)[0] == pytest.approx(-0.025, abs=2e-3)


def test_the_images_needed_where_the_difference_is_beyond_the_margin() -> None:
    # (1.645 + 0.842)² × 0.1 / 0.025²
    assert _alone(200, 5, 15).images_needed(0.025, 0.95) == pytest.approx(989, abs=2)


def test_views_of_a_product_count_once() -> None:
    first = np.array([1, 1, 1, 0, 0, 1], bool)
    second = np.array([0, 0, 0, 1, 0, 0], bool)
    counts = discordance(first, second, np.array([7, 7, 7, 7, 3, 1]))
    assert (counts.images, counts.wins, counts.losses) == (6, 4, 1)
    assert (counts.products_won, counts.products_lost) == (2, 0)
    # (2² + 0² + 1²) / 5
    assert counts.design == 1.0
    assert counts.difference == 0.5
    assert discordance(first, second, np.zeros(6, int)).design == pytest.approx(9 / 5)


def test_the_chance_is_the_exact_test_of_mcnemar() -> None:
    counts = _alone(100, 3, 14)
    assert counts.chance() == pytest.approx(binomtest(3, 17).pvalue)
    assert counts.chance("less") == pytest.approx(binomtest(3, 17, alternative="less").pvalue)
    assert _alone(100, 0, 0).chance() == 1.0


def test_the_macro_f1_is_scikit_learns() -> None:
    generator = np.random.default_rng(2)
    labels = generator.choice([0, 1, 3], 90)
    answers = generator.integers(0, 5, 90), generator.integers(0, 5, 90)
    change = macro_f1_change(labels, answers, np.arange(90), 50, seed=0)
    for found, answer in zip((change.first, change.second), answers, strict=True):
        wanted = f1_score(labels, answer, labels=[0, 1, 3], average="macro")
        assert found == pytest.approx(wanted)


def test_equal_answers_have_equal_f1_in_every_resample() -> None:
    labels = np.array([0, 0, 1, 1, 2])
    answers = np.array([0, 1, 1, 1, 0])
    change = macro_f1_change(labels, (answers, answers), np.arange(5), 200, seed=0)
    assert (change.difference, change.low, change.high) == (0.0, 0.0, 0.0)


def _errors(generator: np.random.Generator, views: int) -> tuple[np.ndarray, ...]:
    """Labels of 60 products, and the answers of two models that are equally good."""
    products = np.repeat(np.arange(60), views)
    labels = np.repeat(generator.integers(0, 3, 60), views)
    answers = []
    for _ in range(2):
        wrong = np.repeat(generator.random(60) < 0.2, views)
        answers.append(np.where(wrong, (labels + 1) % 3, labels))
    return labels, answers[0], answers[1], products


@pytest.mark.parametrize("views", [1, 3])
def test_the_interval_of_the_f1_difference_covers_the_truth(views: int) -> None:
    generator = np.random.default_rng(5)
    covered = 0
    for seed in range(150):
        labels, one, other, products = _errors(generator, views)
        change = macro_f1_change(labels, (one, other), products, 200, seed)
        covered += change.low <= 0 <= change.high
    assert 0.89 <= covered / 150 <= 0.99


@pytest.mark.parametrize("views", [1, 3])
def test_a_model_worse_by_the_margin_is_seldom_within_it(views: int) -> None:
    generator = np.random.default_rng(6)
    refused = 0
    for _ in range(400):
        # Of 600 products 10 % are lost and 5 % won: worse by exactly 0.05.
        fate = np.repeat(generator.random(600), views)
        counts = discordance(fate > 0.95, fate < 0.1, np.repeat(np.arange(600), views))
        low, _ = counts.bounds(0.90)
        refused += low <= -0.05
    assert 0.92 <= refused / 400 <= 0.98
