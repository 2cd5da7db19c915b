"""Products: every shape in every style, the same from the same seed."""

import random

import numpy as np
import pytest

from vitrine.demo.design import DESIGNS, design
from vitrine.demo.labels import TAXONOMY
from vitrine.demo.patterns import PATTERNS
from vitrine.demo.pen import Pen
from vitrine.demo.product import invent
from vitrine.demo.shapes import SHAPES

FORMS = [(category, shape) for category, shapes in SHAPES.items() for shape in shapes]


def test_styles_and_categories_are_those_of_the_taxonomy() -> None:
    assert tuple(DESIGNS) == TAXONOMY.names("style")
    assert tuple(SHAPES) == TAXONOMY.names("category")
    assert all(len(shapes) >= 4 for shapes in SHAPES.values())


@pytest.mark.parametrize("style", DESIGNS)
@pytest.mark.parametrize(("category", "shape"), FORMS)
def test_a_shape_fills_its_sheet_but_not_the_edge(style: str, category: str, shape: str) -> None:
    for seed in range(3):
        rng = random.Random(seed)
        pen = Pen(design(style, category, rng), 64, rng)
        SHAPES[category][shape](pen, rng)
        colors, cover = pen.sheet()
        where = np.asarray(cover)

        assert colors.shape == (64, 64, 3)
        assert colors.min() >= 0
        assert colors.max() <= 255
        assert 0.15 < (where > 0).mean() < 0.85
        edge = np.concatenate([where[0], where[-1], where[:, 0], where[:, -1]])
        assert not edge.any()


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_stays_between_its_colours(name: str) -> None:
    axis = np.linspace(-3, 3, 61, dtype=np.float32)
    place = PATTERNS[name](*np.meshgrid(axis, axis))

    assert place.shape == (61, 61)
    assert place.min() >= 0
    assert place.max() <= 2
    assert (name == "plain") == (place.max() == 0)


def test_a_product_follows_from_number_and_seed() -> None:
    product = invent(4, "vintage", "home", 7)

    assert product == invent(4, "vintage", "home", 7)
    assert product.design != invent(5, "vintage", "home", 7).design
    assert product.design != invent(4, "vintage", "home", 8).design


def test_a_title_is_short_and_ends_with_the_shape() -> None:
    for number in range(40):
        product = invent(number, "fashion", "clothing", 7)

        assert product.title.endswith(product.shape)
        assert product.title[0].isupper()
        assert 2 <= len(product.title.split()) <= 3
