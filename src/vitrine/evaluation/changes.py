"""Changes of a picture that leave what it shows as it is: none should change an answer."""

from collections.abc import Callable
from functools import partial
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import label, uniform_filter

from vitrine import imaging
from vitrine.core.params import BehaviourParams, ImageParams

Pixels = NDArray[np.uint8]
"""A picture: (height, width, 3) uint8, RGB, upright, of any size."""

TOLERANCE = 8
"""How many grey levels of 255 a pixel of a plain background may be off its colour."""
PLAIN_BORDER = 0.75
"""The least share of the border that has the background's colour where it is plain."""
MOST_BACKGROUND = 0.95
"""With more background than this there is no product that could be told from it."""
GROUNDS = np.array([(226, 217, 201), (150, 164, 176), (58, 62, 70)], np.int16)
"""Plain backgrounds to choose from: cream, blue-grey, slate."""
CLEARLY = 60
"""By how many grey levels, over the three channels, a new background differs at least."""

MARK = "SAMPLE"
MARK_LEVEL = 128
MARK_ANGLE = 30
MARK_WIDTH = 0.9
"""The length of the text, as a share of the picture's width."""

JPEG_SIDE = 65_500
"""The longest side that a JPEG can be written with."""


def changed(pixels: Pixels, section: BehaviourParams, image: ImageParams) -> dict[str, Pixels]:
    """Return a picture under every harmless change, as the network sees it.

    Saving a changed picture without loss and loading it gives the same pixels as resizing it, so
    only the JPEG is really written and read.

    Args:
        pixels: The picture at its full size.
        section: The strengths.
        image: How a picture becomes the network's pixels.

    Returns:
        By change, (image.height, image.width, 3). A change that cannot be made of this picture is
        left out: `background` needs a plain one.
    """
    changes: dict[str, Callable[[Pixels], Pixels]] = {
        "flip": lambda picture: picture[:, ::-1],
        "shift": partial(shifted, share=section.shift),
        "crop": partial(cropped, share=section.crop),
        "darker": partial(lit, factor=1 - section.brightness),
        "brighter": partial(lit, factor=1 + section.brightness),
        "watermark": partial(watermarked, opacity=section.watermark),
    }
    found = {name: imaging.resize(change(pixels), image) for name, change in changes.items()}
    if max(pixels.shape) <= JPEG_SIDE:
        found["jpeg"] = _through_jpeg(pixels, section.jpeg_quality, image)
    if (other := on_another_ground(pixels)) is not None:
        found["background"] = imaging.resize(other, image)
    return found


def shifted(pixels: Pixels, share: float) -> Pixels:
    """Return a picture moved right and down by a share of its sides; the edges are repeated."""
    height, width = pixels.shape[:2]
    down, right = round(share * height), round(share * width)
    moved = np.pad(pixels, ((down, 0), (right, 0), (0, 0)), mode="edge")
    return moved[:height, :width]


def cropped(pixels: Pixels, share: float) -> Pixels:
    """Return the middle of a picture: a share of height and width is cut away, half each side."""
    height, width = pixels.shape[:2]
    # At least one pixel is left of any picture.
    top = min(round(share * height / 2), (height - 1) // 2)
    left = min(round(share * width / 2), (width - 1) // 2)
    return pixels[top : height - top, left : width - left]


def lit(pixels: Pixels, factor: float) -> Pixels:
    """Return a picture with its grey levels multiplied, cut off at 255."""
    levels = np.rint(np.arange(256) * factor).clip(0, 255).astype(np.uint8)
    return np.asarray(levels[pixels])


def watermarked(pixels: Pixels, opacity: float) -> Pixels:
    """Return a picture under one grey, slanting word, in the font that Pillow brings along.

    Args:
        pixels: The picture.
        opacity: 0 shows the picture alone, 1 hides it under the letters.
    """
    picture = Image.fromarray(pixels)
    word = ImageFont.load_default(100)
    size = max(1.0, 100 * MARK_WIDTH * picture.width / word.getlength(MARK))
    mask = Image.new("L", picture.size)
    middle = (picture.width / 2, picture.height / 2)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(mask).text(middle, MARK, round(255 * opacity), font, anchor="mm")
    mask = mask.rotate(MARK_ANGLE, Image.Resampling.BILINEAR)
    picture.paste((MARK_LEVEL,) * 3, mask=mask)
    return np.array(picture)


def on_another_ground(pixels: Pixels) -> Pixels | None:
    """Return a picture with another plain background, or None where it has no plain one.

    The background is what has the border's colour, within `TOLERANCE`, and hangs together with the
    border; its slight shades are kept. The new colour is the nearest one that differs clearly.
    """
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    ground = np.median(border, axis=0).astype(np.int16)
    if (np.abs(border - ground) <= TOLERANCE).all(axis=1).mean() < PLAIN_BORDER:
        return None
    background = _outer((np.abs(pixels - ground) <= TOLERANCE).all(axis=2))
    if background.mean() > MOST_BACKGROUND:
        return None
    distances = np.abs(GROUNDS - ground).sum(axis=1)
    new = GROUNDS[np.where(distances < CLEARLY, distances.max(), distances).argmin()]
    return _replaced(pixels, background, (new - ground).astype(np.int16))


def _outer(places: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return those of the places, (height, width), that hang together with the border."""
    parts, count = label(places)
    outer = np.zeros(count + 1, np.bool_)
    for side in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
        outer[side] = True
    outer[0] = False
    return np.asarray(outer[parts])


def _replaced(pixels: Pixels, places: NDArray[np.bool_], by: NDArray[np.int16]) -> Pixels:
    """Return a picture with some places moved by (3,) grey levels, and a soft rim around them."""
    moved = (pixels + by).clip(0, 255).astype(np.uint8)
    found = np.where(places[..., None], moved, pixels)
    # A hard edge would be a change of its own.
    share = uniform_filter(places.astype(np.float32), 3)
    rim = (share > 0.01) & (share < 0.99)
    weight = share[rim][:, None]
    found[rim] = np.rint(weight * moved[rim] + (1 - weight) * pixels[rim])
    return found


def _through_jpeg(pixels: Pixels, quality: int, image: ImageParams) -> Pixels:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    # The limit is for files that come from outside; this one may be larger than the original.
    allowed = image.model_copy(update={"max_bytes": max(image.max_bytes, buffer.tell())})
    return imaging.load(buffer.getvalue(), allowed)
