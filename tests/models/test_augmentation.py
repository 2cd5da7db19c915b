"""Augmentation changes images, but not their shape, range or labels' meaning."""

from typing import Any

import numpy as np
import pytest

from vitrine.core.params import AugmentParams, Params
from vitrine.models.augmentation import Augmentation

OFF: dict[str, Any] = {"flip": False, "rotation": 0.0, "zoom": 0.0, "shift": 0.0, "color": 0.0}


def _images(count: int = 8) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, 12, 10, 3)).astype("float32")


def _augment(seed: int = 3, **changes: Any) -> Augmentation:
    return Augmentation(AugmentParams(**{**OFF, **changes}), seed)


@pytest.mark.parametrize("part", ["rotation", "zoom", "shift", "color"])
def test_each_part_changes_images_within_the_range(part: str) -> None:
    images = _images()
    changed = np.asarray(_augment(**{part: 0.2})(images))
    assert changed.shape == images.shape
    assert changed.min() >= 0
    assert changed.max() <= 255.001
    assert not np.allclose(changed, images)


def test_what_is_switched_off_changes_nothing() -> None:
    images = _images()
    np.testing.assert_array_equal(np.asarray(_augment()(images)), images)


def test_flipping_mirrors_about_half_of_the_images_and_nothing_else() -> None:
    images = _images(64)
    changed = np.asarray(_augment(flip=True)(images))
    kept = [np.allclose(a, b, atol=1e-2) for a, b in zip(changed, images, strict=True)]
    mirrored = [np.allclose(a, b[:, ::-1], atol=1e-2) for a, b in zip(changed, images, strict=True)]
    assert all(k != m for k, m in zip(kept, mirrored, strict=True))
    assert 16 < sum(mirrored) < 48


def test_shifting_moves_the_content_by_at_most_the_share() -> None:
    image = np.zeros((1, 20, 20, 3), "float32")
    image[0, 10, 10] = 255
    for seed in range(5):
        changed = np.asarray(_augment(seed, shift=0.1)(image))[0, ..., 0]
        row, column = np.unravel_index(changed.argmax(), changed.shape)
        assert abs(row - 10) <= 2
        assert abs(column - 10) <= 2


def test_a_turn_keeps_the_centre_and_the_proportions() -> None:
    image = np.zeros((1, 21, 41, 3), "float32")
    image[0, 10, 20] = 255
    image[0, 10, 26] = 255
    changed = np.asarray(_augment(rotation=0.25, seed=1)(image))[0, ..., 0]
    assert changed[10, 20] == pytest.approx(255, abs=1)
    rows, columns = np.nonzero(changed > 40)
    away = np.hypot(rows - 10, columns - 20)
    assert away.max() == pytest.approx(6, abs=1.2)


def test_the_same_seed_gives_the_same_changes(params: Params) -> None:
    images = _images()
    first, second, other = (
        np.asarray(Augmentation(params.train.augment, seed)(images)) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)
