"""Photographs: the factors that a view varies reach the picture."""

import io
import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from vitrine.demo.color import Tone
from vitrine.demo.darkroom import BORDERS, develop
from vitrine.demo.ground import GROUNDS
from vitrine.demo.obstacle import OBSTACLES
from vitrine.demo.product import invent
from vitrine.demo.studio import photograph
from vitrine.demo.view import Finish, choose_view

NEUTRAL = Finish(
    warmth=1.0,
    saturation=1.0,
    contrast=1.0,
    brightness=1.0,
    fade=0.0,
    vignette=0.0,
    grain=0.0,
    blur=0.0,
    border="none",
    quality=90,
)


def developed(finish: Finish) -> tuple[bytes, np.ndarray]:
    picture = Image.effect_noise((40, 50), 40).convert("RGB")
    data = develop(picture, finish, np.random.default_rng(0))
    with Image.open(io.BytesIO(data)) as image:
        return data, np.asarray(image, np.float32)


def test_every_factor_occurs_with_every_style() -> None:
    for style in ("minimalist", "vintage", "fashion"):
        product = invent(0, style, "home", 7)
        views = [choose_view(product, random.Random(number)) for number in range(600)]

        assert {view.ground for view in views} == set(GROUNDS)
        assert {view.obstacle for view in views} == {"", *OBSTACLES}
        assert {view.finish.border for view in views} == set(BORDERS)
        assert {view.spot for view in views} == {True, False}


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_ground_covers_the_picture(ground: str) -> None:
    tones = (Tone(0.8, 0.05, 60), Tone(0.7, 0.05, 60))
    colors = GROUNDS[ground]((50, 40), tones, random.Random(1))

    assert colors.shape == (50, 40, 3)
    assert np.isfinite(colors).all()
    assert (np.ptp(colors, axis=(0, 1)).max() < 1) == (ground == "plain")


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_an_obstacle_leaves_most_of_the_picture(obstacle: str) -> None:
    for seed in range(5):
        outlines = [points for points, _ in OBSTACLES[obstacle](random.Random(seed))]
        xs, ys = zip(*(point for points in outlines for point in points), strict=True)

        assert min(xs) > -1.3
        assert max(xs) < 1.3
        assert min(ys) > -1
        assert max(ys) < 1.3


@pytest.mark.parametrize(
    ("change", "measure"),
    [
        ({"brightness": 0.8}, lambda a: -a.mean()),
        ({"contrast": 1.3}, lambda a: a.std()),
        ({"fade": 30}, lambda a: a.min()),
        ({"vignette": 0.5}, lambda a: a[20:30, 15:25].mean() - a[:5, :5].mean()),
        ({"grain": 20}, lambda a: np.abs(np.diff(a, axis=1)).mean()),
        ({"blur": 1.5}, lambda a: -np.abs(np.diff(a, axis=1)).mean()),
        ({"warmth": 1.2}, lambda a: a[..., 0].mean() - a[..., 2].mean()),
        ({"border": "black"}, lambda a: -a[0].mean()),
        ({"border": "print"}, lambda a: a[-4].mean()),
    ],
)
def test_the_darkroom_does_what_it_says(change, measure) -> None:
    _, before = developed(NEUTRAL)
    _, after = developed(replace(NEUTRAL, **change))

    assert measure(after) > measure(before)


def test_lower_quality_is_a_smaller_file() -> None:
    assert len(developed(replace(NEUTRAL, quality=40))[0]) < 0.7 * len(developed(NEUTRAL)[0])


@pytest.mark.parametrize("size", [24, 96, 160])
def test_a_photograph_has_the_size_asked_for(size: int) -> None:
    product = invent(1, "fashion", "electronics", 7)

    with Image.open(io.BytesIO(photograph(product, 0, size))) as image:
        assert max(image.size) == size
