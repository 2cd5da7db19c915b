import numpy as np
import pytest

from vitrine.quality.stability import compare


def _alarms(images: int, weights: np.ndarray, *, features: int, runs: int = 1000) -> float:
    """The share of pairs of samples of one population that alarm without a threshold."""
    generator = np.random.default_rng(7)
    drawn = generator.multinomial(images, weights / weights.sum(), size=(runs, 2))
    found = [compare(*pair.tolist(), threshold=0, features=features) for pair in drawn]
    return sum(one is not None and one.psi > one.limit for one in found) / runs


@pytest.mark.parametrize("images", [20, 200, 5000])
@pytest.mark.parametrize(
    "weights",
    [np.ones(10), 1 / np.arange(1, 51), np.array([0.99, 0.01])],
    ids=["deciles", "fifty classes, most of them rare", "one rare class"],
)
def test_samples_of_one_population_rarely_alarm(images: int, weights: np.ndarray) -> None:
    assert _alarms(images, weights, features=1) <= 0.07
    assert _alarms(images, weights, features=10) <= 0.012


def test_the_index_is_the_sum_over_cells() -> None:
    found = compare([5000, 5000], [8000, 2000], threshold=0.1, features=1)
    assert found is not None
    expected = (0.5 - 0.8) * np.log(0.5 / 0.8) + (0.5 - 0.2) * np.log(0.5 / 0.2)
    assert found.psi == pytest.approx(expected, rel=1e-3)
    assert found.limit == 0.1
    assert (found.moved, found.before, found.now) == (1, 0.5, 0.2)


@pytest.mark.parametrize(
    ("images", "limit"),
    # The 95 % quantile of chi-square with 9 degrees of freedom is 16.92.
    [(100, 16.92 * 2 / 100), (200, 16.92 * 2 / 200), (4000, 0.1)],
)
def test_the_limit_grows_as_samples_shrink(images: int, limit: float) -> None:
    found = compare([images // 10] * 10, [images // 10] * 10, threshold=0.1, features=1)
    assert found is not None
    assert found.psi == 0
    assert found.limit == pytest.approx(limit, rel=0.01)


def test_a_cell_that_was_empty_has_an_index() -> None:
    found = compare([1000, 0, 0], [700, 300, 0], threshold=0.1, features=1)
    assert found is not None
    assert found.psi > 1
    assert found.moved == 1


@pytest.mark.parametrize(("before", "now"), [([], []), ([0, 0], [3, 4]), ([3, 4], [0, 0])])
def test_nothing_is_said_of_an_empty_sample(before: list[int], now: list[int]) -> None:
    assert compare(before, now, threshold=0.1, features=1) is None


def test_one_cell_cannot_shift() -> None:
    found = compare([7, 0], [900, 0], threshold=0, features=1)
    assert found is not None
    assert (found.psi, found.limit) == (0, 0)
