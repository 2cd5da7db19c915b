"""Faint patterns that repeat all over an image's background, as tiled watermarks do."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
from scipy.ndimage import maximum_filter, minimum_filter, uniform_filter

Planes = NDArray[np.float32]
"""(n, side, side)"""

_SIDE = 32
_LEAST_BACKGROUND = 0.25
"""Share of an image that must be plain, else a pattern may well belong to what it shows."""
_FAINT = 50
"""Grey levels that a watermark differs from the background at most."""
_SMOOTH = (1, 7, 7)
"""Pixels: what varies more slowly (shadows, gradients) is no pattern."""
_AROUND = (1, 3, 3)
_CLIP = 8.0
"""Grey levels at which a pattern is cut, so that single spots do not decide."""
_LEAST_ENERGY = 2.25**2
"""Squared grey levels under which there is only the noise of compression."""
_NEAREST, _FARTHEST = 2.5, 12
"""Pixels between two copies of the pattern."""
_OVERLAP = 0.2
"""Share of the background that must be compared with itself at a displacement."""
_RIDGE, _ASIDE = 0.85, 2
"""What is left of a peak's height so many pixels aside, on both sides, if it is only a ridge."""
_REACH = _SIDE // 2 - 1
_PADDED = _SIDE + _SIDE // 2
"""Wide enough that no plane meets itself around the edge within the reach."""


def repetition(grey: Planes, background: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how strongly the backgrounds repeat a faint pattern: 0 = not, 1 = everywhere alike.

    The second-highest peak of the background's autocorrelation, away from its centre: a tiled
    pattern has several. What goes on level or upright is no peak: a horizon, the edge of a table
    or a stripe is like itself all along; slanting lines count, since watermarks have them. A
    pattern on a background that is not plain (a photographed room, a patterned product that fills
    the image) is not looked for.

    Args:
        grey: (n, 64, 64) grey levels.
        background: (n,) the share of each image that has the colour of its border.
    """
    found = np.zeros(len(grey), np.float32)
    plain = np.flatnonzero(background >= _LEAST_BACKGROUND)
    if not len(plain):
        return found
    rows = grey[plain, ::2] + grey[plain, 1::2]
    half = np.asarray((rows[:, :, ::2] + rows[:, :, 1::2]) / 4, np.float32)
    pattern, mask = _patterns(half)
    pixels = np.maximum(mask.sum(axis=(1, 2)), 1)
    energy = (pattern**2).sum(axis=(1, 2)) / pixels
    chosen = (energy >= _LEAST_ENERGY) & (pixels >= _LEAST_BACKGROUND / 2 * _SIDE**2)
    if chosen.any():
        overlap = _autocorrelation(mask[chosen])
        comparable = overlap > (_OVERLAP * pixels[chosen])[:, None, None]
        likeness = _autocorrelation(pattern[chosen]) / np.maximum(overlap, 1)
        likeness /= energy[chosen][:, None, None]
        found[plain[chosen]] = _second_peak(np.where(comparable, likeness, 0))
    return found


def _patterns(grey: Planes) -> tuple[Planes, Planes]:
    """Return what varies quickly on the backgrounds, and (as 0 and 1) where these are."""
    border = np.concatenate([grey[:, [0, -1]], grey[:, :, [0, -1]].swapaxes(1, 2)], axis=1)
    level = np.median(border.reshape(len(grey), -1), axis=1)[:, None, None]
    near = np.abs(grey - level) < _FAINT
    mask = minimum_filter(near, _AROUND).astype(np.float32)  # off the product's edges
    share = np.maximum(uniform_filter(mask, _SMOOTH), 1e-3)
    pattern = np.clip(grey - uniform_filter(grey * mask, _SMOOTH) / share, -_CLIP, _CLIP) * mask
    mean = pattern.sum(axis=(1, 2)) / np.maximum(mask.sum(axis=(1, 2)), 1)
    return pattern - mask * mean[:, None, None], mask


def _second_peak(likeness: Planes) -> NDArray[np.float32]:
    away = np.hypot(*np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1])
    peak = maximum_filter(likeness, _AROUND) == likeness
    peak &= (away >= _NEAREST) & (away <= _FARTHEST)
    for axis in (1, 2):
        aside = np.minimum(np.roll(likeness, _ASIDE, axis), np.roll(likeness, -_ASIDE, axis))
        peak &= aside <= _RIDGE * likeness
    heights = np.where(peak, likeness, 0).reshape(len(likeness), -1)
    # Every peak has its twin on the other side of the centre: the fourth is the second of a kind.
    return np.asarray(np.partition(heights, -4, axis=1)[:, -4].clip(0, 1), np.float32)


def _autocorrelation(planes: Planes) -> Planes:
    """Return the sums of products of planes with themselves, displaced by -reach to reach."""
    spectrum = rfft2(planes, (_PADDED, _PADDED))
    sums = irfft2(spectrum.real**2 + spectrum.imag**2, (_PADDED, _PADDED))
    near = np.arange(-_REACH, _REACH + 1)
    return np.asarray(sums[:, near[:, None], near])
