from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps
from scipy.fft import dctn

from vitrine.quality.hashing import perceptual_hashes


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


def _grey(*images: Image.Image) -> NDArray[np.float32]:
    small = [image.convert("L").resize((64, 64), Image.Resampling.BILINEAR) for image in images]
    return np.stack([np.asarray(image, np.float32) for image in small])


def _hashes(*images: Image.Image) -> list[int]:
    return perceptual_hashes(_grey(*images))[0].tolist()


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
    hashes = _hashes(*map(_scene, range(8)))
    changed = _hashes(*(change(_scene(seed)) for seed in range(8)))
    assert max((a ^ b).bit_count() for a, b in zip(hashes, changed, strict=True)) <= 6
    apart = [(a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) >= 12


@pytest.mark.parametrize("seed", range(4))
def test_the_hash_is_the_one_of_the_reference_transform(seed: int) -> None:
    grey = _grey(_scene(seed))
    small = grey[0].reshape(32, 2, 32, 2).mean(axis=(1, 3))
    low = dctn(small.astype(float), type=2)[1:9, 1:9].ravel()
    bits = "".join("1" if value > np.median(low) else "0" for value in low)
    phash, _ = perceptual_hashes(grey)
    assert phash.dtype == np.uint64
    assert phash.tolist() == [int(bits, 2)]


def test_the_mirror_hash_is_the_hash_of_the_mirrored_image() -> None:
    scenes = [_scene(seed) for seed in range(20)]
    plain, mirrored = perceptual_hashes(_grey(*scenes))
    again, back = perceptual_hashes(_grey(*map(ImageOps.mirror, scenes)))
    assert mirrored.tolist() == again.tolist()
    assert back.tolist() == plain.tolist()
    assert (plain != mirrored).all()


def test_an_image_has_the_same_hash_alone_and_among_others() -> None:
    scenes = [_scene(seed) for seed in range(9)]
    assert _hashes(*scenes) == [_hashes(scene)[0] for scene in scenes]


@pytest.mark.parametrize("level", [0, 77, 255])
def test_flat_images_all_have_the_hash_zero(level: int) -> None:
    flat = np.full((2, 64, 64), level, np.float32)
    assert [hashes.tolist() for hashes in perceptual_hashes(flat)] == [[0, 0], [0, 0]]
