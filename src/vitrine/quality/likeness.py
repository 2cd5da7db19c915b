"""How alike two images are, seen through their descriptors."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from vitrine.quality.descriptors import COLOUR_SIDE, GREY_SIDE, colour_differences, grey_levels

_INNER = (GREY_SIDE - 2) ** 2
"""Grey levels inside the rim, which a crop may take away."""
_WHITE = 249
"""Where both images are this light, they are the same, however the light of one was changed."""
_SOFTENING = 16.0
"""Grey levels of contrast that images with little contrast are treated as having."""
_SCALE = 40.0
"""Of the contrast, in grey levels: differences that grow like its square root weigh the same."""
_LARGEST = 18
"""One difference in so many counts as one of the largest: a print or a buckle that one has."""
_STEPS = 4
"""Of the search for the best position; the first one takes most of the way."""
_FARTHEST = 0.58
"""How far the sides may move, in grey levels' distances: a crop of 4 % of the image."""
_LIMITS = np.array([_FARTHEST] * 4 + [0.16, 15.0], np.float32)[:, None]
"""Of shift and stretch across, the same down, gain and offset of the light."""
_RIDGE = np.diag(np.array([30.0] * 4 + [1000.0, 10.0], np.float32))
"""Keeps the least squares solvable where an image has no edges."""
_SLACK = 3.4
"""How many times as far as allowed two images may differ before they are moved.

Of crops that are alike in the end, one in 500 differs more.
"""


def similarities(
    first: NDArray[np.uint8], second: NDArray[np.uint8], least: float
) -> NDArray[np.float32]:
    """Return how alike pairs of images are, 1 = the same.

    The second image is moved, stretched, and changed in light by what makes it most like the
    first one, within the limits of a small crop and a slight change of brightness (Lucas and
    Kanade, An iterative image registration technique, 1981). What still differs is weighed
    against the contrast of the pair, and taken from 1: the mean square of the grey levels'
    differences, that of the largest eight, and that of the colours' differences.

    Args:
        first: (k, 228) descriptors.
        second: (k, 228) descriptors.
        least: Pairs that are less alike than this may be given as 0, which is faster.

    Returns:
        (k,) from 0 to 1.
    """
    answer = np.zeros(len(first), np.float32)
    contrast = ((grey_levels(first) + grey_levels(second)) / 2).var(axis=(1, 2))
    scale = _SCALE * np.sqrt(contrast + _SOFTENING**2)
    allowed = (1 - least) ** 2 * scale
    left = np.arange(len(first))
    for guess in (_unmoved, partial(_guessed, every=2), partial(_guessed, every=1)):
        left = left[guess(first[left], second[left]) <= _SLACK**2 * allowed[left]]
    rest = _difference(first[left], second[left])
    answer[left] = np.maximum(0, 1 - np.sqrt(rest / scale[left]))
    return answer


def _unmoved(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (k,) the mean square of what differs where the images lie, mean levels aside."""
    apart = grey_levels(first) - grey_levels(second)
    apart -= apart.mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.square(apart).mean(axis=(1, 2)), np.float32)


def _guessed(
    first: NDArray[np.uint8], second: NDArray[np.uint8], every: int
) -> NDArray[np.float32]:
    """Return (k,) about what a first step leaves of every so many levels, nothing being moved."""
    target, other = grey_levels(first), grey_levels(second)
    slopes, error = _slopes(other, target, other, every), _error(target, other, every)
    left = error - slopes.transpose(0, 2, 1) @ _step(slopes, error)
    return _squares(np.square(left[..., 0]))


def _difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (k,) the squares that still differ in the best position."""
    target, other = grey_levels(first), grey_levels(second)
    change = np.zeros((len(first), len(_LIMITS), 1), np.float32)
    for _ in range(_STEPS):
        moved = _moved(other, change[:, :4])
        light = _lit(moved, change)
        step = _step(_slopes(moved, target, light), _error(target, light))
        change = np.clip(change + step, -_LIMITS, _LIMITS)
    squares = np.square(_error(target, _lit(_moved(other, change[:, :4]), change)))
    return _squares(squares[..., 0]) + _colour_error(first, second, change)


def _step(slopes: NDArray[np.float32], error: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (k, 6, 1) the change that would leave the least error, were the slopes straight."""
    step = np.linalg.solve(slopes @ slopes.transpose(0, 2, 1) + _RIDGE, slopes @ error)
    return np.asarray(np.clip(step, -2 * _LIMITS, 2 * _LIMITS), np.float32)


def _squares(squares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (k,) mean and mean of the largest of (k, m) squares, added."""
    count = squares.shape[1] // _LARGEST
    largest = np.partition(squares, -count, axis=1)[:, -count:]
    return np.asarray(squares.mean(axis=1) + largest.mean(axis=1), np.float32)


def _colour_error(
    first: NDArray[np.uint8], second: NDArray[np.uint8], change: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (k,) the mean square of the difference in colour."""
    one, other = colour_differences(first), colour_differences(second)
    move = np.repeat(change[:, :4] * (COLOUR_SIDE / GREY_SIDE), 2, axis=0)
    moved = _moved(other.reshape(-1, COLOUR_SIDE, COLOUR_SIDE), move).reshape(other.shape)
    error = one - moved * (1 + change[:, 4, :, None, None])
    return np.asarray(np.square(error).mean(axis=(1, 2, 3)), np.float32)


def _lit(moved: NDArray[np.float32], change: NDArray[np.float32]) -> NDArray[np.float32]:
    return moved * (1 + change[:, 4, :, None]) + change[:, 5, :, None]


def _error(
    first: NDArray[np.float32], light: NDArray[np.float32], every: int = 1
) -> NDArray[np.float32]:
    """Return (k, m, 1) how far the first image lies above the other, inside the rim."""
    one, other = (image[:, 1:-1:every, 1:-1:every] for image in (first, light))
    error = np.where(np.minimum(one, other) >= _WHITE, np.float32(0), one - other)
    return error.reshape(len(first), _INNER // every**2, 1)


def _slopes(
    moved: NDArray[np.float32],
    first: NDArray[np.float32],
    light: NDArray[np.float32],
    every: int = 1,
) -> NDArray[np.float32]:
    """Return (k, 6, m) how the second image answers to each change, inside the rim."""
    inside = slice(1, -1, every)
    inner, place = moved[:, inside, inside], _spread(GREY_SIDE)[inside]
    across = (moved[:, inside, 2::every] - moved[:, inside, :-2:every]) / 2
    down = (moved[:, 2::every, inside] - moved[:, :-2:every, inside]) / 2
    slopes = np.empty((len(moved), len(_LIMITS), *inner.shape[1:]), np.float32)
    slopes[:, 0], slopes[:, 1] = across, across * place
    slopes[:, 2], slopes[:, 3] = down, down * place[:, None]
    slopes[:, 4], slopes[:, 5] = inner, 1
    white = np.minimum(first[:, inside, inside], light[:, inside, inside]) >= _WHITE
    slopes *= ~white[:, None]
    return slopes.reshape(len(moved), len(_LIMITS), _INNER // every**2)


def _moved(image: NDArray[np.float32], move: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return images (k, side, side) after shift and stretch (k, 4, 1)."""
    side = image.shape[-1]
    across, down = (_weights(move[:, at], move[:, at + 1], side) for at in (0, 2))
    return np.asarray(down @ image @ across.transpose(0, 2, 1), np.float32)


def _weights(
    shift: NDArray[np.float32], stretch: NDArray[np.float32], side: int
) -> NDArray[np.float32]:
    """Return (k, side, side) how the levels of a row add up to those at other places.

    Keys, Cubic convolution interpolation for digital image processing, 1981, with a = -1/2.
    """
    places = np.arange(side, dtype=np.float32)
    wanted = places + shift + stretch * _spread(side)
    x = np.abs(np.clip(wanted, 0, side - 1)[:, :, None] - places)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0))
    return np.asarray(weights / weights.sum(axis=2, keepdims=True), np.float32)


def _spread(side: int) -> NDArray[np.float32]:
    """Return (side,) where the levels of a row lie, the borders of the image being -1 and 1."""
    return np.asarray((2 * np.arange(side) + 1) / side - 1, np.float32)
