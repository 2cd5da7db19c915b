"""Pictures made odd, and pictures made nearly the same: RGB in, another picture out."""

import random

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from vitrine.demo.chance import grains

TINY = 12
THIN = 8
HUGE = 6
CROP = (0.01, 0.04)
"""Share of width and height that a small crop takes off each side."""

Resampling = Image.Resampling


def dark(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return it as taken without light: 8 to 15 % of it is left, in the noise of the sensor."""
    left = np.asarray(picture, np.float32) * rng.uniform(0.08, 0.15)
    return _picture(left + grains(rng).normal(0, 1.5, left.shape))


def bright(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return it washed out: everything lies within the last few levels below white."""
    missing = 255 - np.asarray(picture, np.float32)
    return _picture(255 - rng.uniform(0.05, 0.12) * missing)


def blurred(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return it out of focus: a Gaussian whose radius is 4 to 6 % of the shorter side."""
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.04, 0.06) * min(picture.size)))


def flat(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return one colour of middle brightness with hardly any noise, in the size of the picture."""
    color = np.array([rng.randint(60, 200) for _ in range(3)], np.float32)
    size = (picture.height, picture.width, 3)
    return _picture(color + grains(rng).normal(0, 1, size))


def tiny(picture: Image.Image, rng: random.Random) -> Image.Image:  # noqa: ARG001
    """Return it so small that the shorter side has 12 pixels."""
    return _scaled(picture, TINY / min(picture.size))


def thin(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return it stretched into a banner, lying or standing, one side 8 times the other."""
    short = max(24, round(min(picture.size) / 2))
    size = (THIN * short, short)
    return picture.resize(size if rng.random() < 0.5 else size[::-1], Resampling.BICUBIC)


def huge(picture: Image.Image, rng: random.Random) -> Image.Image:  # noqa: ARG001
    """Return it enlarged 6 times."""
    return _scaled(picture, HUGE)


def grey(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return it without its colours, stored with one channel or with three equal ones."""
    plain = picture.convert("L")
    return plain if rng.random() < 0.5 else plain.convert("RGB")


def same(picture: Image.Image, rng: random.Random) -> Image.Image:  # noqa: ARG001
    """Return it as it is: another file comes of the compression alone."""
    return picture


def resized(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return it at 0.5 to 0.8 times its size, or at 1.3 times."""
    return _scaled(picture, 1.3 if rng.random() < 0.5 else rng.uniform(0.5, 0.8))


def flipped(picture: Image.Image, rng: random.Random) -> Image.Image:  # noqa: ARG001
    """Return its mirror image."""
    return ImageOps.mirror(picture)


def cropped(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return it without 1 to 4 % at each side, one pixel at least."""
    left, right = (max(1, round(rng.uniform(*CROP) * picture.width)) for _ in range(2))
    top, bottom = (max(1, round(rng.uniform(*CROP) * picture.height)) for _ in range(2))
    return picture.crop((left, top, picture.width - right, picture.height - bottom))


def _scaled(picture: Image.Image, factor: float) -> Image.Image:
    size = (round(picture.width * factor), round(picture.height * factor))
    return picture.resize(size, Resampling.LANCZOS)


def _picture(levels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(levels, 0, 255)).astype(np.uint8))
