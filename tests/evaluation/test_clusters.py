"""How sure a figure is when the images of a product go together."""

import numpy as np
import pytest
from scipy.stats import binomtest

from vitrine.evaluation.clusters import design_effect, redrawn, wilson


@pytest.mark.parametrize(("right", "images"), [(0, 20), (13, 40), (40, 40)])
def test_the_interval_of_independent_images_is_wilsons(right: int, images: int) -> None:
    answers = np.arange(images) < right
    expected = binomtest(right, images).proportion_ci(method="wilson")
    assert wilson(answers, np.arange(images)) == pytest.approx((expected.low, expected.high))


def test_views_that_are_all_alike_count_as_one_image() -> None:
    products = np.repeat(np.arange(30), 4)
    right = products % 3 > 0
    assert wilson(right, products) == pytest.approx(wilson(right[::4], np.arange(30)))
    assert design_effect(right - right.mean(), products) == pytest.approx(4)


def test_views_that_differ_more_than_others_do_not_make_surer() -> None:
    residuals = np.tile([-0.5, 0.5], 20)
    assert design_effect(residuals, np.repeat(np.arange(20), 2)) == 1


def test_a_resample_draws_products_within_their_strata() -> None:
    strata = np.array([5, 5, 5, 5, 2, 2, 2])
    products = np.array([1, 1, 3, 4, 1, 9, 9])
    drawn = np.stack(list(redrawn(strata, products, 300, seed=1)))
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    np.testing.assert_array_equal(drawn[:, 5], drawn[:, 6])
    assert (drawn[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert (drawn[:, [4, 5]].sum(axis=1) == 2).all()
    assert (drawn[:, 0] != drawn[:, 4]).any()
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=0.2)
