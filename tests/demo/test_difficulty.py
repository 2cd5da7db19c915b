"""The demo is a small benchmark: what raw pixels or mean colours tell falls short of the labels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifier

from vitrine.core.manifest import Catalogue
from vitrine.core.taxonomy import HEADS, Head
from vitrine.demo import draw_catalogue

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    root = tmp_path_factory.mktemp("demo") / "data"
    draw_catalogue(root, images=900, size=48, seed=7)
    return Catalogue(root)


@pytest.fixture(scope="module")
def pixels(catalogue: Catalogue) -> np.ndarray:
    """All images as (images, 40, 32, 3), 0 to 1."""
    pictures = []
    for row in catalogue.rows():
        with Image.open(catalogue.path(row)) as image:
            pictures.append(np.asarray(image.resize((32, 40)), np.float32) / 255)
    return np.stack(pictures)


def score(model, features: np.ndarray, catalogue: Catalogue, head: Head) -> float:
    """The accuracy on products that the model has not seen."""
    rows = list(catalogue.rows())
    labels = np.array([getattr(row, head) for row in rows])
    held_out = np.array([int(row.product[1:]) % 4 == 0 for row in rows])
    known = labels != ""
    model.fit(features[known & ~held_out], labels[known & ~held_out])
    return model.score(features[known & held_out], labels[known & held_out])


@pytest.mark.parametrize(("head", "bound"), [("style", 0.65), ("category", 0.8)])
def test_linear_models_on_raw_pixels_fall_short(
    catalogue: Catalogue, pixels: np.ndarray, head: Head, bound: float
) -> None:
    models = [RidgeClassifier(alpha) for alpha in (30, 300, 3000)]

    best = max(score(model, pixels.reshape(len(pixels), -1), catalogue, head) for model in models)
    assert 0.4 < best < bound


@pytest.mark.parametrize("head", HEADS)
def test_mean_colours_do_not_tell(catalogue: Catalogue, pixels: np.ndarray, head: Head) -> None:
    model = RandomForestClassifier(200, random_state=0)

    assert score(model, pixels.mean(axis=(1, 2)), catalogue, head) < 0.55


def test_the_whole_catalogue_is_small(tmp_path: Path) -> None:
    drawn = draw_catalogue(tmp_path / "data", images=150, size=96, seed=7)

    assert drawn.bytes * 6 < 4 * 2**20


def test_styles_and_categories_are_independent(catalogue: Catalogue) -> None:
    rows = [row for row in catalogue.rows() if row.style and row.category]
    styles = sorted({row.style for row in rows})
    categories = sorted({row.category for row in rows})
    table = np.zeros((len(styles), len(categories)))
    for row in rows:
        table[styles.index(row.style), categories.index(row.category)] += 1
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()

    # Pearson's statistic of four degrees of freedom; one in a thousand independent tables is above.
    assert ((table - expected) ** 2 / expected).sum() < 18.5
