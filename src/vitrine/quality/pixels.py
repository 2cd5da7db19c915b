"""Numbers from the pixels of one image, all taken from one small grey version of it."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 64
"""Pixels on each side of the small grey version."""


def small_grey(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return an image as (64, 64) grey levels, 0 to 255: shrunk with antialiasing, or enlarged.

    Args:
        pixels: (height, width, 3) uint8, RGB.
    """
    grey = Image.fromarray(pixels).convert("L")
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.float32)


def perceptual_hash(grey: NDArray[np.float32]) -> int:
    """Return the 64-bit DCT hash of an image: similar images differ in few bits.

    The image is smoothed to 32 x 32; of its two-dimensional DCT-II the 8 x 8 lowest frequencies
    without the constant row and column are kept; each bit says whether one lies above their median
    (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2).

    Args:
        grey: (64, 64) grey levels as `small_grey` returns them.
    """
    basis = _cosines()
    # Rounded, so that the noise of the arithmetic does not decide the bits of a flat image.
    low = np.round(basis @ grey @ basis.T, 6)
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")


@cache
def _cosines() -> NDArray[np.float64]:
    """Return the DCT-II of 32 points, frequencies 1 to 8, each the mean of two of 64: (8, 64)."""
    frequency, point = np.arange(1, 9)[:, None], np.arange(SIDE // 2)
    matrix: NDArray[np.float64] = np.cos(np.pi * frequency * (2 * point + 1) / SIDE)
    return np.repeat(matrix / 2, 2, axis=1)


def sharpness(grey: NDArray[np.float32]) -> float:
    """Return the variance of the Laplacian: low for blurred and flat images.

    Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, 2000.

    Args:
        grey: (64, 64) grey levels as `small_grey` returns them.
    """
    centre = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * centre).var())
