"""The ordinary images of a catalogue: those into which a fault can be planted."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vitrine import imaging
from vitrine.core.digests import bytes_digest
from vitrine.core.errors import DataError, ImageError
from vitrine.core.manifest import Catalogue, Row, read_manifest
from vitrine.core.parallel import map_in_order
from vitrine.core.params import ImageParams
from vitrine.core.progress import track

LIMITS = ImageParams(
    height=64,
    width=64,
    fit="stretch",
    background=(255, 255, 255),
    interpolation="bilinear",
    max_bytes=2**25,
    max_pixels=64_000_000,
)
"""What is decoded here: bytes and pixels up to the limits that params.yaml comes with."""

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
MIN_SIDE = 32
MAX_ASPECT = 2.5
EDGE = 5
"""Percent of the images at either end of a measure that are not ordinary."""


@dataclass(frozen=True, slots=True)
class Victim:
    """An image that a fault may be planted into.

    Attributes:
        row: Its row of the manifest.
        pixels: Width times height.
    """

    row: Row
    pixels: int


@dataclass(frozen=True, slots=True)
class _Look:
    row: Row
    digest: str
    width: int
    height: int
    brightness: float
    contrast: float
    sharpness: float
    color: float


class Pool:
    """Ordinary images in random order; each is taken once.

    Args:
        victims: The images.
        rng: Of the order.
    """

    def __init__(self, victims: list[Victim], rng: random.Random) -> None:
        self._left = rng.sample(victims, len(victims))
        self.size = len(victims)

    def take(self, fits: Callable[[Victim], bool] = lambda _: True) -> Row:
        """Return the next image that fits and take it out of the pool.

        Raises:
            DataError: No image that is left fits.
        """
        for place, victim in enumerate(self._left):
            if fits(victim):
                return self._left.pop(place).row
        raise DataError(
            f"too few of the {self.size} ordinary images suit the faults: plant fewer of each, or "
            "plant into a larger catalogue"
        )

    def take_pair(self) -> tuple[Row, Row]:
        """Return two images with the same style and category, which is known.

        Raises:
            DataError: There are no such two.
        """
        counts = Counter(_labels(victim) for victim in self._left)
        first = self.take(lambda victim: bool(victim.row.category) and counts[_labels(victim)] > 1)
        return first, self.take(lambda victim: _labels(victim) == (first.style, first.category))


def _labels(victim: Victim) -> tuple[str, str]:
    return victim.row.style, victim.row.category


def ordinary_images(catalogue: Catalogue) -> list[Victim]:
    """Return the images that have no fault of their own, in the manifest's order.

    Ordinary is what can be decoded, occurs once, has the format of its name, has colours, is
    neither small nor thin, is about as large as the median image, and lies within the middle 90 %
    of the catalogue by brightness and above the lowest 5 % by contrast and by sharpness.
    """
    rows = list(read_manifest(catalogue.manifest_path))
    looks = map_in_order(lambda row: _look(catalogue, row), rows, workers=0)
    seen = [look for look in track(looks, "Choosing images", len(rows)) if look is not None]
    if not seen:
        return []
    return [Victim(look.row, look.width * look.height) for look in _usual(seen)]


def _usual(seen: list[_Look]) -> Iterator[_Look]:
    times = Counter(look.digest for look in seen)
    side = float(np.median([_side(look) for look in seen]))
    dark, bright = np.percentile([look.brightness for look in seen], (EDGE, 100 - EDGE))
    pale = np.percentile([look.contrast for look in seen], EDGE)
    soft = np.percentile([look.sharpness for look in seen], EDGE)
    for look in seen:
        short, long = sorted((look.width, look.height))
        if (
            times[look.digest] == 1
            and look.color >= 4
            and short >= MIN_SIDE
            and long <= MAX_ASPECT * short
            and side / 1.6 <= _side(look) <= 1.6 * side
            and dark <= look.brightness <= bright
            and look.contrast >= pale
            and look.sharpness >= soft
        ):
            yield look


def _side(look: _Look) -> float:
    return float((look.width * look.height) ** 0.5)


def _look(catalogue: Catalogue, row: Row) -> _Look | None:
    """Return the measures of an image; None where it is a link, unreadable, or misnamed."""
    path = catalogue.path(row)
    if path.is_symlink():
        return None
    try:
        data = imaging.read(path, LIMITS)
        info = imaging.probe(data, LIMITS, row.image)
        small = imaging.load(data, LIMITS)
    except ImageError:
        return None
    if FORMATS.get(path.suffix.lower()) != info.format:
        return None
    grey = np.asarray(Image.fromarray(small).convert("L"), np.float32)
    return _Look(
        row=row,
        digest=bytes_digest(data),
        width=info.width,
        height=info.height,
        brightness=float(grey.mean()),
        contrast=float(grey.std()),
        sharpness=_sharpness(grey),
        color=float(np.ptp(small.astype(np.int16), axis=2).mean()),
    )


def _sharpness(grey: NDArray[np.float32]) -> float:
    """Return the variance of the Laplacian of (height, width) grey levels."""
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * grey[1:-1, 1:-1]).var())
