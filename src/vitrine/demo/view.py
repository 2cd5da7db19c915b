"""How one photograph of a product is taken: angle, light, ground, what stands in the way, print."""

import random
from dataclasses import dataclass

from vitrine.demo.color import Tone
from vitrine.demo.ground import GROUNDS
from vitrine.demo.obstacle import OBSTACLES
from vitrine.demo.product import Product


@dataclass(frozen=True, slots=True)
class Finish:
    """What happens to the picture after it is taken.

    Args:
        warmth: Factor on red, and its inverse on blue.
        saturation: 0 (grey) to 1 (unchanged) and above.
        contrast: Factor about the middle grey.
        brightness: Factor on everything.
        fade: How far black is lifted, in grey levels.
        vignette: How much darker the corners are, 0 to 1.
        grain: Standard deviation of film grain, in grey levels.
        blur: Radius in pixels of an image of 100 pixels.
        border: A name in `darkroom.BORDERS`.
        quality: Of the JPEG file, 1 to 95.
    """

    warmth: float
    saturation: float
    contrast: float
    brightness: float
    fade: float
    vignette: float
    grain: float
    blur: float
    border: str
    quality: int


@dataclass(frozen=True, slots=True)
class View:
    """One way to photograph a product.

    Args:
        aspect: Width of the picture by its height.
        yaw: Turn to the side, pitch: up or down, roll: within the picture; in degrees.
        mirrored: Taken from the other side.
        scale: Size of the product's box by the picture's width.
        shift: Of the product's centre from the picture's, in picture widths.
        light: Where the light comes from, in degrees, clockwise from the right.
        strength: How uneven the light is, 0 to 1.
        spot: A hard spotlight instead of a soft sky.
        ground: A name in `ground.GROUNDS`, with its two tones.
        obstacle: A name in `obstacle.OBSTACLES`, or empty.
        finish: What happens afterwards.
    """

    aspect: float
    yaw: float
    pitch: float
    roll: float
    mirrored: bool
    scale: float
    shift: tuple[float, float]
    light: float
    strength: float
    spot: bool
    ground: str
    tones: tuple[Tone, Tone]
    obstacle: str
    finish: Finish


_USUAL_GROUNDS = {
    "clothing": ("plain", "plain", "plain", "gradient", "wood", "weave", "weave"),
    "electronics": ("plain", "gradient", "gradient", "gradient", "sweep", "tiles", "tiles"),
    "home": ("plain", "sweep", "sweep", "room", "room", "room", "room"),
}
"""On what a category is photographed more often than on the other grounds."""


def choose_view(product: Product, rng: random.Random) -> View:
    """Draw a view by chance. Every factor can occur with every style; a few lean to one style."""
    minimalist, fashion = product.style == "minimalist", product.style == "fashion"
    scale = rng.uniform(0.8, 0.92) if minimalist else rng.uniform(0.86, 0.98)
    return View(
        aspect=rng.choice((0.8, 0.8, 0.8, 0.8, 1.0)),
        yaw=rng.uniform(-20, 20),
        pitch=rng.uniform(-8, 8),
        roll=rng.gauss(0, 3),
        mirrored=rng.random() < 0.5,
        scale=scale,
        shift=(rng.uniform(-0.04, 0.04), rng.uniform(-0.05, 0.05)),
        light=rng.uniform(180, 360),
        strength=rng.uniform(0.1, 1.0),
        spot=rng.random() < (0.3 if fashion else 0.04),
        ground=_choose_ground(product, rng),
        tones=_ground_tones(product.design.body, rng),
        obstacle=rng.choice(list(OBSTACLES)) if rng.random() < 0.15 else "",
        finish=_finish(product.style, rng),
    )


def _choose_ground(product: Product, rng: random.Random) -> str:
    grounds = [*GROUNDS, *_USUAL_GROUNDS[product.category]]
    if product.style == "minimalist":
        grounds += 4 * ["plain", "gradient", "sweep"]
    return rng.choice(grounds)


def _ground_tones(body: Tone, rng: random.Random) -> tuple[Tone, Tone]:
    """Two tones like each other, and lighter or darker than the product."""
    if body.lightness < 0.78 and rng.random() < 0.9:
        lightness = rng.uniform(max(0.82, body.lightness + 0.13), 0.95)
    else:
        lightness = body.lightness - 0.4 if body.lightness > 0.7 else body.lightness + 0.35
    tone = Tone(lightness, rng.choice((0.01, 0.01, 0.02, 0.05)), rng.uniform(0, 360))
    near = tone.apart(rng.uniform(0.03, 0.1))
    return tone, near._replace(hue=near.hue + rng.uniform(-40, 40))


def _finish(style: str, rng: random.Random) -> Finish:
    old = rng.random() < (0.6 if style == "vintage" else 0.04)
    punchy = rng.random() < (0.6 if style == "fashion" else 0.06)
    return Finish(
        warmth=rng.gauss(1.06 if old else 1.0, 0.07),
        saturation=rng.uniform(0.5, 0.9) if old else rng.uniform(0.75, 1.3),
        contrast=rng.uniform(1.1, 1.35) if punchy else rng.uniform(0.8, 1.1),
        brightness=rng.uniform(1.0, 1.12) if style == "minimalist" else rng.uniform(0.88, 1.06),
        fade=rng.uniform(10, 35) if old else rng.uniform(0, 12),
        vignette=rng.choice((0.0, 0.0, 0.0, 0.25)),
        grain=rng.uniform(5, 11) if old else rng.uniform(0, 2),
        blur=rng.choice((0.0, 0.0, 0.0, 0.0, 0.6)),
        border=rng.choice(("none",) * 20 + ("white", "black", "print")),
        quality=rng.randint(40, 90),
    )
