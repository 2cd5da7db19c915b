from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vitrine.quality.pixels import SIDE, measure_frames

SIZE = 256
ACROSS, DOWN = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
FOUND = 0.6
"""What the repository's limit is about."""

Picture = NDArray[np.float64]


def _strength(picture: Picture) -> float:
    """How strongly a picture of 256 x 256 grey levels repeats a pattern."""
    small = Image.fromarray(picture.clip(0, 255).astype(np.uint8)).resize(
        (SIDE, SIDE), Image.Resampling.BILINEAR
    )
    frame = np.asarray(small.convert("RGB"))
    return float(measure_frames(frame[None]).repetition[0])


def _plain(level: float = 235) -> Picture:
    return np.full((SIZE, SIZE), level)


def _product(picture: Picture, level: float = 90) -> Picture:
    """The picture with a product in front."""
    picture = picture.copy()
    picture[(ACROSS - 128) ** 2 / 60**2 + (DOWN - 130) ** 2 / 75**2 < 1] = level
    return picture


def _noise(picture: Picture, deviation: float) -> Picture:
    return picture + np.random.default_rng(0).normal(0, deviation, picture.shape)


def _marked(
    picture: Picture, word: str = "SHOP", step: tuple[int, int] = (64, 48), faint: float = -40
) -> Picture:
    """The picture under a word that repeats in rows, each displaced a little."""
    layer = Image.new("L", (SIZE, SIZE))
    draw, font = ImageDraw.Draw(layer), ImageFont.load_default(16)
    for row, top in enumerate(range(0, SIZE, step[1])):
        for left in range(-step[0], SIZE, step[0]):
            draw.text((left + 10 * row % step[0], top), word, fill=255, font=font)
    return picture + faint * np.asarray(layer, float) / 255


@pytest.mark.parametrize("step", [(64, 48), (80, 40), (72, 72)])
@pytest.mark.parametrize("word", ["SHOP", "PROOF", "COPY"])
def test_a_faint_word_all_over_a_plain_background_is_found(
    word: str, step: tuple[int, int]
) -> None:
    for picture in (_plain(), _product(_plain()), _noise(_product(_plain()), 3)):
        assert _strength(_marked(picture, word, step)) > FOUND


@pytest.mark.parametrize(("level", "faint"), [(30, 40), (120, -40), (120, 40)])
def test_a_mark_is_found_on_dark_and_grey_backgrounds_too(level: float, faint: float) -> None:
    assert _strength(_marked(_product(_plain(level), 200), faint=faint)) > FOUND


def test_a_lattice_of_slanting_lines_is_found() -> None:
    lattice = _plain() - 35 * (((ACROSS + DOWN) % 56 < 6) | ((ACROSS - DOWN) % 56 < 6))
    assert _strength(_product(lattice)) > FOUND


def _shadow(picture: Picture) -> Picture:
    return picture - 40 * np.exp(-((ACROSS - 140) ** 2) / 3000 - (DOWN - 215) ** 2 / 300)


@pytest.mark.parametrize(
    "background",
    [
        lambda picture: picture,
        lambda picture: picture - DOWN * 0.15,
        lambda picture: picture - ACROSS * 0.1 - DOWN * 0.1,
        _shadow,
        lambda picture: picture - 30 * (DOWN > 170),  # where a table meets a wall
        lambda picture: picture - 30 * ((DOWN > 160) & (DOWN < 172)),
        lambda picture: picture - 20 * (DOWN % 32 < 16),
        lambda picture: picture - 20 * (ACROSS % 48 < 20),
        lambda picture: picture - 30 * ((abs(DOWN - 40) < 5) | (abs(DOWN - 210) < 5)),
        lambda picture: picture - 25 * (abs(ACROSS - DOWN) < 5),
    ],
    ids=[
        *("clean", "gradient", "slanting gradient", "shadow", "edge", "line"),
        *("level stripes", "upright stripes", "two lines", "slanting line"),
    ],
)
@pytest.mark.parametrize("deviation", [0, 4, 8])
def test_what_does_not_repeat_in_two_directions_is_no_mark(
    background: Callable[[Picture], Picture], deviation: float
) -> None:
    for picture in (background(_plain()), _product(background(_plain()))):
        assert _strength(_noise(picture, deviation)) < 0.5


@pytest.mark.parametrize("deviation", [2, 10, 30, 80])
def test_noise_is_no_mark(deviation: float) -> None:
    for picture in (_plain(), _plain(128), _product(_plain())):
        assert _strength(_noise(picture, deviation)) < 0.5


def test_one_word_is_no_mark() -> None:
    assert _strength(_marked(_product(_plain()), step=(250, 250))) < 0.5


def test_a_pattern_of_the_product_is_no_mark() -> None:
    dots = 120 + 60 * ((ACROSS % 32 < 12) & (DOWN % 32 < 12))
    product = np.where((abs(ACROSS - 128) < 70) & (abs(DOWN - 128) < 80), dots, _plain())
    assert _strength(product) < 0.5


def test_a_pattern_that_fills_the_image_is_no_mark() -> None:
    assert _strength(60 + 150.0 * ((ACROSS % 32 < 16) ^ (DOWN % 32 < 16))) < 0.5
