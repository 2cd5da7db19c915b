"""Numbers from the pixels of images, all taken from one small version of each: its frame.

A frame is an image squeezed to 64 x 64 pixels of RGB. Frames come in batches, so that the cost of
calling numpy is shared by many images.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from vitrine.quality.descriptors import LUMA, descriptors
from vitrine.quality.hashing import perceptual_hashes
from vitrine.quality.repetition import repetition

SIDE = 64
"""Pixels on each side of a frame."""

Frames = NDArray[np.uint8]
"""(n, 64, 64, 3), RGB."""
Greys = NDArray[np.float32]
"""(n, 64, 64) grey levels, 0 to 255."""
Numbers = NDArray[np.float32]
"""(n,) one number an image."""

_TOLERANCE = 16
"""How much a channel may differ from the border's colour and still be background."""
_LEAST_RANGE = 10.0
"""Grey levels that an image at least counts as spanning, so that noise is no sharp edge."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What the pixels of some images say, an entry an image; see `vitrine.quality.facts.Facts`."""

    phash: NDArray[np.uint64]
    mirror_hash: NDArray[np.uint64]
    descriptor: NDArray[np.uint8]
    brightness: Numbers
    darkest: Numbers
    brightest: Numbers
    contrast: Numbers
    sharpness: Numbers
    entropy: Numbers
    colourfulness: Numbers
    background: Numbers
    repetition: Numbers

    def rows(self) -> Iterator[dict[str, int | float | bytes]]:
        """Yield what is known of one image after the other, by name."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        values = {name: column.tolist() for name, column in columns.items() if column.ndim == 1}
        values["descriptor"] = [row.tobytes() for row in self.descriptor]
        for row in zip(*values.values(), strict=True):
            yield dict(zip(values, row, strict=True))


def measure_frames(frames: Frames) -> Measures:
    """Return all numbers of a batch of frames."""
    planes = np.ascontiguousarray(frames.transpose(0, 3, 1, 2))
    colours = planes.astype(np.float32)
    grey = to_grey(colours)
    phash, mirror_hash = perceptual_hashes(grey)
    histogram = _histogram(grey)
    background = _background(planes)
    brightness, contrast = _mean_and_deviation(grey)
    return Measures(
        phash=phash,
        mirror_hash=mirror_hash,
        descriptor=descriptors(colours),
        brightness=brightness,
        darkest=_percentile(histogram, 1),
        brightest=_percentile(histogram, 99),
        contrast=contrast,
        sharpness=_sharpness(grey, histogram),
        entropy=_entropy(histogram),
        colourfulness=_colourfulness(colours),
        background=background,
        repetition=repetition(grey, background),
    )


def to_grey(colours: NDArray[np.float32]) -> Greys:
    """Return the luma of (n, 3, 64, 64) colours, 0 to 255 (ITU-R BT.601)."""
    return np.asarray(LUMA @ colours.reshape(-1, 3, SIDE * SIDE)).reshape(-1, SIDE, SIDE)


def _mean_and_deviation(planes: Greys) -> tuple[Numbers, Numbers]:
    """Return mean and standard deviation of each of (n, 64, 64) planes."""
    flat = planes.reshape(len(planes), -1)
    mean = flat.mean(axis=1)
    centred = flat - mean[:, None]
    return mean, np.sqrt(np.einsum("np,np->n", centred, centred) / flat.shape[1])


def _histogram(grey: Greys) -> NDArray[np.int64]:
    """Return (n, 256) how many pixels have each grey level."""
    levels = (grey + 0.5).astype(np.int64).reshape(len(grey), -1)
    levels += 256 * np.arange(len(grey))[:, None]
    return np.bincount(levels.ravel(), minlength=256 * len(grey)).reshape(-1, 256)


def _percentile(histogram: NDArray[np.int64], percent: float) -> Numbers:
    """Return the lowest grey level that at least so many per cent of the pixels do not exceed."""
    below = histogram.cumsum(axis=1)
    return np.asarray((below >= percent / 100 * below[:, -1:]).argmax(axis=1), np.float32)


def _entropy(histogram: NDArray[np.int64]) -> Numbers:
    """Return Shannon's entropy of the grey levels, 0 to 8 bits."""
    share = (histogram / histogram.sum(axis=1, keepdims=True)).astype(np.float32)
    bits = np.log2(share, where=share > 0, out=np.zeros_like(share))
    return np.asarray(0.0 - np.einsum("nl,nl->n", share, bits), np.float32)


def _sharpness(grey: Greys, histogram: NDArray[np.int64]) -> Numbers:
    """Return how steep the steepest edges are: low where nothing in an image is sharp.

    The absolute Laplacian, its highest value in each block of 4 x 4 pixels, the mean of the
    highest sixth of these, in shares of the range that the grey levels span (1st to 99th
    percentile). Unlike the variance of the Laplacian (Pech-Pacheco et al., Diatom autofocusing in
    brightfield microscopy, 2000), it does not fall with the contrast of an image or with the size
    of the product in it.
    """
    around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    edges = np.abs(around - 4 * grey[:, 1:-1, 1:-1])[:, 1:-1, 1:-1]
    for _ in range(2):
        edges = np.maximum(edges[:, ::2], edges[:, 1::2])
        edges = np.maximum(edges[:, :, ::2], edges[:, :, 1::2])
    blocks = edges.reshape(len(grey), -1)
    kept = blocks.shape[1] // 6
    keenest = np.partition(blocks, -kept, axis=1)[:, -kept:].mean(axis=1)
    span = _percentile(histogram, 99) - _percentile(histogram, 1)
    return np.asarray(keenest / np.maximum(span, _LEAST_RANGE), np.float32)


def _colourfulness(colours: NDArray[np.float32]) -> Numbers:
    """Return how colourful images (n, 3, 64, 64) are: 0 = grey, 100 and more = garish.

    Hasler and Suesstrunk, Measuring colourfulness in natural images, 2003, the metric M3.
    """
    red, green, blue = colours[:, 0], colours[:, 1], colours[:, 2]
    first, first_spread = _mean_and_deviation(red - green)
    second, second_spread = _mean_and_deviation(0.5 * (red + green) - blue)
    spread, mean = np.hypot(first_spread, second_spread), np.hypot(first, second)
    return np.asarray(spread + 0.3 * mean, np.float32)


def _background(planes: NDArray[np.uint8]) -> Numbers:
    """Return the share of the pixels that have about the middle colour of the image's border."""
    border = np.concatenate(
        [planes[:, :, edge].reshape(len(planes), 3, -1) for edge in (0, -1)]
        + [planes[:, :, :, edge].reshape(len(planes), 3, -1) for edge in (0, -1)],
        axis=2,
    )
    colour = np.sort(border, axis=2)[:, :, 2 * SIDE, None, None].astype(np.int16)
    lowest = np.clip(colour - _TOLERANCE, 0, 255).astype(np.uint8)
    highest = np.clip(colour + _TOLERANCE, 0, 255).astype(np.uint8)
    near = (planes >= lowest) & (planes <= highest)
    pixels = np.count_nonzero(near[:, 0] & near[:, 1] & near[:, 2], axis=(1, 2))
    return np.asarray(pixels / (SIDE * SIDE), np.float32)
