"""Small, smooth versions of images, which tell near-duplicates from images that only look alike."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

GREY_SIDE = 14
"""Grey levels on each side."""
COLOUR_SIDE = 4
"""Colour differences on each side, for blue and for red."""
DESCRIPTOR_BYTES = GREY_SIDE**2 + 2 * COLOUR_SIDE**2

_SIDE = 64
_REACH = {GREY_SIDE: 1.5, COLOUR_SIDE: 1.0}
"""Half the foot of the window that makes one level, in distances between levels.

Windows overlap, so that a version moved by part of a distance can be computed: with windows side
by side, the edges of a product would leap from one level to the next.
"""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""What red, green and blue add to the grey level (ITU-R BT.601)."""


def descriptors(colours: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the descriptors of images: 14 x 14 grey levels, 4 x 4 blue and 4 x 4 red differences.

    Args:
        colours: (n, 3, 64, 64) red, green and blue, 0 to 255.

    Returns:
        (n, 228): the grey levels row by row, then half of blue - grey and of red - grey, each
        plus 128.
    """
    count = len(colours)
    rows = np.concatenate([windows(GREY_SIDE), windows(COLOUR_SIDE)])
    pooled = rows @ colours
    grey = _luma(pooled[:, :, :GREY_SIDE]) @ windows(GREY_SIDE).T
    small = pooled[:, :, GREY_SIDE:] @ windows(COLOUR_SIDE).T
    luma = _luma(small)
    differences = [(small[:, channel] - luma) / 2 + 128 for channel in (2, 0)]
    parts = [part.reshape(count, -1) for part in (grey, *differences)]
    return np.rint(np.concatenate(parts, axis=1)).astype(np.uint8)


def _luma(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.einsum("c,nc...->n...", LUMA, colours), np.float32)


def grey_levels(described: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the grey levels (n, 14, 14) of descriptors (n, 228)."""
    levels = described[:, : GREY_SIDE**2].astype(np.float32)
    return levels.reshape(-1, GREY_SIDE, GREY_SIDE)


def colour_differences(described: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the colours (n, 2, 4, 4) of descriptors (n, 228), grey being 0."""
    differences = described[:, GREY_SIDE**2 :].astype(np.float32)
    return differences.reshape(-1, 2, COLOUR_SIDE, COLOUR_SIDE) - 128


def mirror(described: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the descriptors (n, 228) of the same images, mirrored left to right."""
    grey = grey_levels(described)[:, :, ::-1].reshape(len(described), -1)
    colour = colour_differences(described)[..., ::-1].reshape(len(described), -1) + 128
    return np.concatenate([grey, colour], axis=1).astype(np.uint8)


@cache
def windows(side: int) -> NDArray[np.float32]:
    """Return (side, 64) how the pixels of a row of a frame add up to `side` levels."""
    step = _SIDE / side
    centre = (np.arange(side)[:, None] + 0.5) * step - 0.5
    window = np.maximum(0, 1 - np.abs(np.arange(_SIDE) - centre) / (_REACH[side] * step))
    return np.asarray(window / window.sum(axis=1, keepdims=True), np.float32)
