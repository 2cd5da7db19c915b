"""Patterns of a surface: for each point, how far from the first of three colours to the third."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.floating[Any]]
"""Values over a square or a picture, (height, width)."""

Pattern = Callable[[Field, Field], Field]
"""From coordinates counted in periods to 0 (first colour), 1 (second), 2 (third) and between."""


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int]) -> Field:
    """Return smooth noise, -1 to 1, that changes over `cells` (down, across) places."""
    coarse = rng.uniform(-1, 1, (cells[0] + 1, cells[1] + 1)).astype(np.float32)
    picture = Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC)
    return np.asarray(picture, np.float32)


def _ones(where: NDArray[np.bool_]) -> Field:
    return where.astype(np.float32)


def _frac(x: Field) -> Field:
    return x - np.floor(x)


def _thirds(x: Field) -> Field:
    """Each period in three steps: 0, 1, 2."""
    return np.minimum(np.floor(3 * _frac(x)), 2)


def _cells(u: Field, v: Field) -> tuple[Field, Field]:
    """Coordinates -0.5 to 0.5 inside cells, every second row moved by half a cell."""
    row = np.floor(v)
    return _frac(u + 0.5 * (row % 2)) - 0.5, v - row - 0.5


def _plain(u: Field, _v: Field) -> Field:
    return np.zeros_like(u)


def _two_tone(_u: Field, v: Field) -> Field:
    return _ones(v > 0.4)


def _one_line(_u: Field, v: Field) -> Field:
    return _ones(np.abs(v + 0.3) < 0.12)


def _dots(u: Field, v: Field) -> Field:
    x, y = _cells(1.3 * u, 1.3 * v)
    return _ones(x**2 + y**2 < 0.075)


def _floral(u: Field, v: Field) -> Field:
    x, y = _cells(u, v)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    petals = radius < 0.3 + 0.12 * np.cos(5 * angle)
    leaves = (np.abs(np.abs(x) - 0.42) < 0.05) & (np.abs(y) < 0.2)
    return np.where(radius < 0.12, 2, (petals | leaves) * 1).astype(np.float32)


def _plaid(u: Field, v: Field) -> Field:
    across, down = _frac(u) < 0.45, _frac(v) < 0.45
    lines = (np.abs(_frac(u) - 0.72) < 0.045) | (np.abs(_frac(v) - 0.72) < 0.045)
    return np.where(lines, 2, 0.5 * across + 0.5 * down).astype(np.float32)


def _damask(u: Field, v: Field) -> Field:
    x, y = _frac(u) - 0.5, _frac(v) - 0.5
    distance = np.abs(x) + np.abs(y)
    return np.where(distance < 0.16, 2, (np.abs(distance - 0.42) < 0.08) * 1).astype(np.float32)


def _herringbone(u: Field, v: Field) -> Field:
    return _ones(_frac(2.5 * v + 2 * np.abs(_frac(u) - 0.5)) < 0.45)


def _argyle(u: Field, v: Field) -> Field:
    x, y = _frac(u) - 0.5, _frac(0.6 * v) - 0.5
    lines = (np.abs(_frac(x + y + 0.5) - 0.5) < 0.04) | (np.abs(_frac(x - y + 0.5) - 0.5) < 0.04)
    return np.where(lines, 2, (np.abs(x) + np.abs(y) < 0.5) * 1).astype(np.float32)


def _stripes(u: Field, _v: Field) -> Field:
    return _ones(_frac(u) < 0.5)


def _zigzag(u: Field, v: Field) -> Field:
    return _thirds(v + np.abs(_frac(u) - 0.5))


def _checker(u: Field, v: Field) -> Field:
    return ((np.floor(u) + np.floor(v)) % 2).astype(np.float32)


def _gradient(_u: Field, v: Field) -> Field:
    place: Field = np.clip(1 + 0.45 * v, 0, 2)
    return place


def _blocks(u: Field, v: Field) -> Field:
    return _ones(u > 0.3 * v) + _ones(0.5 * u + v > 0.6)


def _leopard(u: Field, v: Field) -> Field:
    x, y = _cells(1.2 * u + 0.15 * np.sin(3 * v), 1.2 * v + 0.2 * np.sin(5 * u))
    radius = np.hypot(x * 1.2, y)
    ring = (radius < 0.42) & (np.sin(3 * np.arctan2(y, x) + 4 * np.floor(v)) > -0.5)
    return np.where(radius < 0.24, 1, ring * 2).astype(np.float32)


def _waves(u: Field, v: Field) -> Field:
    return _thirds(0.7 * v + 0.25 * np.sin(3 * u))


PATTERNS: dict[str, Pattern] = {
    "plain": _plain,
    "two-tone": _two_tone,
    "lined": _one_line,
    "dotted": _dots,
    "floral": _floral,
    "plaid": _plaid,
    "damask": _damask,
    "herringbone": _herringbone,
    "argyle": _argyle,
    "striped": _stripes,
    "zigzag": _zigzag,
    "checked": _checker,
    "gradient": _gradient,
    "block": _blocks,
    "leopard": _leopard,
    "wave": _waves,
}


def _fabric(x: Field, y: Field) -> Field:
    folds: Field = 1 + 0.25 * np.sin(11 * x + 1.5 * np.sin(2.5 * y + 1))
    return folds


def _polished(x: Field, y: Field) -> Field:
    slant = x + 0.6 * y
    return 1 + 0.25 * _ones(np.abs(slant + 0.25) < 0.16) + 0.2 * _ones(np.abs(slant) < 0.03)


def _glazed(x: Field, _y: Field) -> Field:
    shine: Field = 1.03 + 0.3 * np.exp(-(((x + 0.3) / 0.14) ** 2)) - 0.2 * np.clip(x, 0, 1)
    return shine


SURFACES: dict[str, Pattern] = {
    "fabric": _fabric,
    "polished": _polished,
    "glazed": _glazed,
}
"""Factors on the light that a material sends back, from coordinates in the product's box."""
