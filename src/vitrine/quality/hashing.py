"""Perceptual hashes: similar images differ in few bits."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_POINTS = 32
"""Points of the cosine transform on each side, each the mean of two grey levels."""
_KEPT = 8
"""Frequencies kept on each side, from the first on."""


def perceptual_hashes(
    grey: NDArray[np.float32],
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the 64-bit DCT hashes of images, and those of the same images seen in a mirror.

    An image is smoothed to 32 x 32; of its two-dimensional DCT-II the 8 x 8 lowest frequencies
    without the constant row and column are kept; each bit says whether one lies above their median
    (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2).
    Mirroring changes the sign of the odd horizontal frequencies.

    Args:
        grey: (n, 64, 64) grey levels.

    Returns:
        Two arrays (n,).
    """
    basis = cosines()
    # Rounded, so that the noise of the arithmetic does not decide the bits of a flat image.
    low = np.round(basis @ grey @ basis.T, 6)
    signs = np.where(np.arange(1, _KEPT + 1) % 2, -1.0, 1.0)
    return _bits(low), _bits(low * signs)


def _bits(low: NDArray[np.float64]) -> NDArray[np.uint64]:
    flat = low.reshape(len(low), -1)
    above = flat > np.median(flat, axis=1, keepdims=True)
    return np.packbits(above, axis=1).view(">u8").ravel().astype(np.uint64)


@cache
def cosines() -> NDArray[np.float64]:
    """Return the DCT-II of 32 points, frequencies 1 to 8, each the mean of two of 64: (8, 64)."""
    frequency, point = np.arange(1, _KEPT + 1)[:, None], np.arange(_POINTS)
    matrix: NDArray[np.float64] = np.cos(np.pi * frequency * (2 * point + 1) / (2 * _POINTS))
    return np.repeat(matrix / 2, 2, axis=1)
