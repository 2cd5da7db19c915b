"""From a picture in light to a JPEG file: colours, vignette, grain, border, compression."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from vitrine.demo.patterns import Field

if TYPE_CHECKING:
    from vitrine.demo.view import Finish


def _no_border(picture: Field, edge: int) -> None:
    pass


def _white(picture: Field, edge: int) -> None:
    _frame(picture, edge, edge, 250)


def _black(picture: Field, edge: int) -> None:
    _frame(picture, edge, edge, 15)


def _print(picture: Field, edge: int) -> None:
    """An instant print: white, broader below."""
    _frame(picture, edge, 3 * edge, 242)


def _frame(picture: Field, edge: int, below: int, level: float) -> None:
    picture[:edge] = picture[-below:] = level
    picture[:, :edge] = picture[:, -edge:] = level


BORDERS: dict[str, Callable[[Field, int], None]] = {
    "none": _no_border,
    "white": _white,
    "black": _black,
    "print": _print,
}


def develop(picture: Image.Image, finish: "Finish", rng: np.random.Generator) -> bytes:
    """Finish a picture and return it as a JPEG file.

    Args:
        picture: RGB, in its final size.
        finish: What to do.
        rng: Of the grain.
    """
    longer = max(picture.size)
    if finish.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(finish.blur * longer / 100))
    colors = np.asarray(picture, np.float32) * finish.brightness
    colors = colors * np.array([finish.warmth, 1, 1 / finish.warmth], np.float32)
    grey = colors.mean(axis=2, keepdims=True)
    colors = grey + (colors - grey) * finish.saturation
    colors = 128 + (colors - 128) * finish.contrast
    colors = finish.fade + colors * (1 - finish.fade / 255)
    height, width = colors.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    colors *= (1 - finish.vignette * np.clip(x**2 + y**2 - 0.4, 0, None) / 1.6)[..., None]
    grain = rng.normal(0, 1, (height, width, 1)).astype(np.float32)
    colors += finish.grain * grain
    colors = np.clip(colors, 0, 255)
    BORDERS[finish.border](colors, max(2, round(0.04 * longer)))
    file = io.BytesIO()
    Image.fromarray(np.rint(colors).astype(np.uint8)).save(
        file, "JPEG", quality=finish.quality, optimize=True
    )
    return file.getvalue()
