from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy.fft import dctn

from vitrine.quality.pixels import perceptual_hash, sharpness, small_grey


def _scene(seed: int) -> Image.Image:
    generator = np.random.default_rng(seed)
    image = Image.new("RGB", (180, 240), "white")
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        left, top = (int(value) for value in generator.integers(0, 150, 2))
        size = int(generator.integers(20, 90))
        color = tuple(int(value) for value in generator.integers(0, 255, 3))
        draw.ellipse((left, top, left + size, top + size), fill=color)
    return image


def _hash(image: Image.Image) -> int:
    return perceptual_hash(small_grey(np.asarray(image)))


def _recompressed(image: Image.Image) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=60)
    return Image.open(buffer)


@pytest.mark.parametrize(
    "change",
    [
        _recompressed,
        lambda image: image.resize((90, 120)),
        lambda image: image.point(lambda level: min(255, level + 12)),
    ],
)
def test_the_same_picture_keeps_its_hash_and_others_do_not(
    change: Callable[[Image.Image], Image.Image],
) -> None:
    hashes = [_hash(_scene(seed)) for seed in range(8)]
    for seed, original in enumerate(hashes):
        assert (_hash(change(_scene(seed))) ^ original).bit_count() <= 6
    apart = [(a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) >= 12


def test_the_hash_is_the_one_of_the_reference_transform() -> None:
    grey = small_grey(np.asarray(_scene(3)))
    small = grey.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    low = dctn(small.astype(float), type=2)[1:9, 1:9].ravel()
    bits = "".join("1" if value > np.median(low) else "0" for value in low)
    assert perceptual_hash(grey) == int(bits, 2)


@pytest.mark.parametrize("level", [0, 77, 255])
def test_flat_images_all_have_the_hash_zero(level: int) -> None:
    flat: NDArray[np.uint8] = np.full((50, 30, 3), level, np.uint8)
    assert perceptual_hash(small_grey(flat)) == 0
    assert sharpness(small_grey(flat)) == 0


def test_blur_lowers_the_sharpness() -> None:
    image = _scene(1)
    blurred = image.filter(ImageFilter.GaussianBlur(6))
    assert sharpness(small_grey(np.asarray(blurred))) < 0.5 * sharpness(
        small_grey(np.asarray(image))
    )


def test_the_grey_version_has_one_size() -> None:
    for shape in ((1, 900, 3), (24, 24, 3), (300, 200, 3)):
        assert small_grey(np.zeros(shape, np.uint8)).shape == (64, 64)
