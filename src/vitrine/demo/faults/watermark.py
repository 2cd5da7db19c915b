"""A watermark over a whole picture: faint, and the same again and again."""

import random

from PIL import Image, ImageDraw, ImageFont, ImageStat

FINE = 4
"""The mark is drawn this many times larger and shrunk, for smooth edges."""

WORDS = ("SHOP", "COPY", "DEMO", "PROOF", "STOCK")
LIGHT, DEEP = 255, 40


def watermarked(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return it under a mark of 15 to 35 % opacity that repeats at least four times each way.

    The mark is a slanting word or a lattice of slanting lines; white on a dark picture, dark on a
    light one.
    """
    across = rng.randint(4, 5)
    # Cells about as high as wide, as a mark is tiled in the pixels of the picture.
    down = max(4, round(across * picture.height / picture.width))
    cell = (FINE * picture.width / across, FINE * picture.height / down)
    tile = (_word if rng.random() < 0.6 else _lattice)((round(cell[0]), round(cell[1])), rng)
    mask = Image.new("L", (tile.width * across, tile.height * down))
    for row in range(down):
        for column in range(across):
            mask.paste(tile, (column * tile.width, row * tile.height))
    alpha = rng.uniform(0.15, 0.35)
    mask = mask.resize(picture.size, Image.Resampling.LANCZOS).point(lambda level: alpha * level)
    level = LIGHT if ImageStat.Stat(picture.convert("L")).median[0] < 140 else DEEP
    return Image.composite(Image.new("RGB", picture.size, (level, level, level)), picture, mask)


def _word(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Return a slanting word that fills a tile, white on black."""
    word, width = rng.choice(WORDS), min(size)
    font = ImageFont.load_default(size=100)
    box = font.getbbox(word)
    text = Image.new("L", (round(box[2]), round(box[3] + 20)))
    ImageDraw.Draw(text).text((0, 0), word, fill=255, font=font, stroke_width=4, stroke_fill=255)
    slanting = text.rotate(rng.uniform(20, 40), Image.Resampling.BICUBIC, expand=True)
    scale = 0.98 * width / max(slanting.size)
    inner = (round(slanting.width * scale), round(slanting.height * scale))
    tile = Image.new("L", size)
    corner = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
    tile.paste(slanting.resize(inner, Image.Resampling.LANCZOS), corner)
    return tile


def _lattice(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Return a tile with its two diagonals, or with one, white on black."""
    tile = Image.new("L", size)
    pen, width, both = ImageDraw.Draw(tile), round(0.1 * min(size)), rng.random() < 0.5
    right, below = size
    for shift in (-right, 0, right):  # the neighbouring tiles' lines show in the corners
        ends = (shift - right, shift + 2 * right)
        pen.line((ends[0], -below, ends[1], 2 * below), fill=255, width=width)
        if both:
            pen.line((ends[0], 2 * below, ends[1], -below), fill=255, width=width)
    return tile
