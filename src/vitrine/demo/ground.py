"""What a product stands on or lies before."""

import random
from collections.abc import Callable

import numpy as np

from vitrine.demo.chance import grains
from vitrine.demo.color import Tone
from vitrine.demo.patterns import Field, noise

Tones = tuple[Tone, Tone]


def mix(first: Tone, second: Tone, share: Field) -> Field:
    """Return colours between two tones, (height, width, 3), by the second's share, 0 to 1."""
    a, b = (np.array(tone.rgb, np.float32) for tone in (first, second))
    return a + (b - a) * share[..., None]


def _axes(shape: tuple[int, int]) -> tuple[Field, Field]:
    """Coordinates over a picture: x from -1 to 1, y as far as the sides' ratio demands."""
    height, width = shape
    reach = height / width
    x, y = np.meshgrid(
        np.linspace(-1, 1, width, dtype=np.float32),
        np.linspace(-reach, reach, height, dtype=np.float32),
    )
    return x, y


def _plain(shape: tuple[int, int], tones: Tones, _rng: random.Random) -> Field:
    return mix(*tones, np.zeros(shape, np.float32))


def _gradient(shape: tuple[int, int], tones: Tones, rng: random.Random) -> Field:
    x, y = _axes(shape)
    if rng.random() < 0.5:
        share = np.hypot(x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5)) / 1.6
    else:
        slope = rng.uniform(-1, 1)
        share = (y + slope * x + 1.3) / 2.6
    return mix(tones[0], tones[1].apart(0.12), np.clip(share, 0, 1))


def _wood(shape: tuple[int, int], tones: Tones, rng: random.Random) -> Field:
    x, y = _axes(shape)
    if rng.random() < 0.5:
        x, y = y, x
    boards = x / rng.uniform(0.35, 0.7)
    board = np.floor(boards)
    generator = grains(rng)
    grain = 0.5 + 0.5 * np.sin(
        22 * x + 3 * np.sin(2.2 * y + 2 * board) + noise(generator, shape, (5, 5))
    )
    seam = (boards - board < 0.05) * np.float32(0.9)
    return mix(*tones, np.clip(0.35 * grain + 0.2 * (board % 3) + seam, 0, 1.2))


def _weave(shape: tuple[int, int], tones: Tones, rng: random.Random) -> Field:
    x, y = _axes(shape)
    count = rng.uniform(18, 34)
    threads = 0.5 + 0.25 * np.sin(count * x) + 0.25 * np.sin(count * y)
    return mix(*tones, threads + 0.3 * noise(grains(rng), shape, (3, 3)))


def _tiles(shape: tuple[int, int], tones: Tones, rng: random.Random) -> Field:
    x, y = _axes(shape)
    side = rng.uniform(0.3, 0.6)
    column, row = np.floor(x / side), np.floor(y / side)
    joint = (x / side - column < 0.06) | (y / side - row < 0.06)
    return mix(*tones, np.where(joint, 1.2, 0.3 * ((column + row) % 2)).astype(np.float32))


def _terrazzo(shape: tuple[int, int], tones: Tones, rng: random.Random) -> Field:
    chips = noise(grains(rng), shape, (22, 18))
    return mix(*tones, (chips > 0.4) * np.float32(1) - 0.4 * (chips < -0.55))


def _sweep(shape: tuple[int, int], tones: Tones, rng: random.Random) -> Field:
    """A paper backdrop that bends from wall to table."""
    _, y = _axes(shape)
    bend = rng.uniform(0.25, 0.6)
    share = 1 / (1 + np.exp(np.clip(-(y - bend) / 0.08, -30, 30)))
    return mix(*tones, share + 0.3 * np.clip(y - bend, 0, 1))


def _room(shape: tuple[int, int], tones: Tones, rng: random.Random) -> Field:
    """A wall, plain or papered or with a window's light on it, and a floor."""
    x, y = _axes(shape)
    line = rng.uniform(0.4, 0.75)
    kind = rng.choice(("plain", "paper", "window", "picture"))
    wall = 0.1 * np.ones(shape, np.float32)
    if kind == "paper":
        wall += 0.35 * (np.sin(rng.uniform(9, 16) * x) > 0)
    elif kind == "window":
        slant = x + 0.5 * y - rng.uniform(-0.4, 0.4)
        wall -= 0.6 * ((np.abs(slant) < 0.55) & (np.abs(np.abs(slant) - 0.27) > 0.03) & (y < 0.2))
    elif kind == "picture":
        left, top = rng.uniform(-0.9, 0.2), rng.uniform(-1.1, -0.7)
        inside = (np.abs(x - left - 0.3) < 0.3) & (np.abs(y - top - 0.25) < 0.25)
        core = (np.abs(x - left - 0.3) < 0.24) & (np.abs(y - top - 0.25) < 0.19)
        wall += 1.1 * inside - 1.3 * core
    colors = mix(*tones, wall)
    floor = tones[1].apart(rng.uniform(0.1, 0.25))
    boards = 0.25 * (np.sin(16 * x / (0.6 + np.clip(y, 0, 2))) > 0.9)
    colors = np.where(
        (y > line)[..., None], mix(floor, tones[0], boards + 0.2 * (y - line)), colors
    )
    skirting = (y > line - 0.07) & (y <= line)
    return np.where(skirting[..., None], mix(tones[0].lit(0.1), floor, np.zeros_like(x)), colors)


GROUNDS: dict[str, Callable[[tuple[int, int], Tones, random.Random], Field]] = {
    "plain": _plain,
    "gradient": _gradient,
    "sweep": _sweep,
    "wood": _wood,
    "weave": _weave,
    "tiles": _tiles,
    "terrazzo": _terrazzo,
    "room": _room,
}
