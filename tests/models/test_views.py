"""Views differ strongly, keep shape and range, and change what they say they change."""

import keras
import numpy as np
import pytest

from vitrine.models.views import RandomCrop, RandomTint

LUMINANCE = np.array([0.299, 0.587, 0.114])


def _images(count: int = 64) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, 12, 10, 3)).astype("float32")


def _ramp(count: int) -> np.ndarray:
    """Images whose red is the place from left to right and whose green that from top to bottom."""
    image = np.zeros((41, 21, 3), "float32")
    image[..., 0] = np.arange(21)
    image[..., 1] = np.arange(41)[:, None]
    return np.repeat(image[None], count, axis=0)


@pytest.mark.parametrize(
    "make", [lambda s: RandomCrop(zoom=0.6, seed=s), lambda s: RandomTint(strength=0.4, seed=s)]
)
def test_views_keep_shape_and_range_and_are_those_of_the_seed(make: type) -> None:
    images = _images()
    first, second, other = (np.asarray(make(seed)(images)) for seed in (5, 5, 6))
    assert first.shape == images.shape
    assert first.min() >= 0
    assert first.max() <= 255.001
    np.testing.assert_array_equal(first, second)
    assert np.mean(np.isclose(first, images)) < 0.1
    assert not np.allclose(first, other)


def test_two_calls_give_two_views() -> None:
    crop, images = RandomCrop(zoom=0.6, seed=5), _images()
    assert not np.allclose(crop(images), crop(images))


def test_a_crop_is_a_stretched_rectangle_no_smaller_than_allowed() -> None:
    crops = np.asarray(RandomCrop(zoom=0.5, seed=1)(_ramp(300)))
    across, down = crops[:, 0, :, 0], crops[:, :, 0, 1]
    widths = np.abs(across[:, -1] - across[:, 0]) / 20
    heights = (down[:, -1] - down[:, 0]) / 40
    for shares in (widths, heights):
        assert shares.min() >= 0.5 - 1e-3
        assert shares.max() <= 1 + 1e-3
        assert shares.min() < 0.55
        assert shares.max() > 0.95
    # Evenly stretched, anywhere inside, not turned.
    np.testing.assert_allclose(np.diff(across, n=2), 0, atol=1e-3)
    np.testing.assert_allclose(crops[:, -1, :, 0], across, atol=1e-3)
    assert down[:, 0].max() > 15
    mirrored = np.mean(across[:, -1] < across[:, 0])
    assert 0.4 < mirrored < 0.6
    ratios = widths / heights
    assert ratios.max() <= 4 / 3 + 1e-3
    assert ratios.min() >= 3 / 4 - 1e-3


def test_without_strength_only_grey_remains_of_a_tint() -> None:
    images = _images(400)
    changed = np.asarray(RandomTint(strength=0.0, seed=2)(images))
    grey = np.repeat((images @ LUMINANCE)[..., None], 3, axis=-1)
    kept = np.isclose(changed, images, atol=0.1).all(axis=(1, 2, 3))
    greyed = np.isclose(changed, grey, atol=0.1).all(axis=(1, 2, 3))
    assert (kept ^ greyed).all()
    assert 0.14 < greyed.mean() < 0.26


def test_a_tint_leaves_grey_images_grey() -> None:
    images = np.repeat(_images()[..., :1], 3, axis=-1)
    changed = np.asarray(RandomTint(strength=0.4, seed=2)(images))
    np.testing.assert_allclose(changed[..., 0], changed[..., 1], atol=0.1)
    np.testing.assert_allclose(changed[..., 0], changed[..., 2], atol=0.1)


def test_a_tint_turns_the_hue_and_not_the_luminance() -> None:
    # One colour has no contrast, and far from the limits nothing is cut off.
    images = np.broadcast_to(np.array([90.0, 110.0, 108.0], "float32"), (200, 4, 4, 3))
    changed = np.asarray(RandomTint(strength=0.2, seed=2)(images))[:, 0, 0]
    brightness = changed @ LUMINANCE / (images[0, 0, 0] @ LUMINANCE)
    assert brightness.min() >= 0.8 - 1e-3
    assert brightness.max() <= 1.2 + 1e-3
    assert {int(pixel.argmax()) for pixel in changed} >= {1, 2}


def test_views_are_drawn_inside_a_graph_for_any_number_of_images() -> None:
    image = keras.Input((12, 10, 3))
    model = keras.Model(
        image, RandomTint(strength=0.4, seed=1)(RandomCrop(zoom=0.6, seed=1)(image))
    )
    assert model.predict(_images(5), batch_size=3, verbose=0).shape == (5, 12, 10, 3)
