"""Takes the photograph of a product: places it, lights it, covers it, develops it."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from vitrine.demo.chance import chance, grains
from vitrine.demo.darkroom import develop
from vitrine.demo.ground import GROUNDS
from vitrine.demo.obstacle import OBSTACLES
from vitrine.demo.patterns import Field
from vitrine.demo.product import Product
from vitrine.demo.view import View, choose_view

FINER = 2
"""How many times finer than the final picture the scene is put together."""


def photograph(product: Product, number: int, size: int) -> bytes:
    """Return one view of a product as a JPEG file.

    Args:
        product: What to photograph.
        number: Which view; each number is another one, and always the same.
        size: The picture's longer side, in pixels.
    """
    rng = chance(product.seed, "view", number)
    view = choose_view(product, rng)
    height = FINER * size
    width = FINER * round(size * view.aspect)
    colors, cover = _place(product, view, (height, width))
    scene = GROUNDS[view.ground]((height, width), view.tones, rng)
    scene *= _light(view, (height, width))[..., None]
    scene *= 1 - _shadow(view, cover)[..., None]
    share = (np.asarray(cover, np.float32) / 255)[..., None]
    scene += (_shaded(colors, cover, view, product.design.gloss) - scene) * share
    picture = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    if view.obstacle:
        picture = _obstruct(picture, view.obstacle, rng)
    picture = picture.resize((width // FINER, height // FINER), Image.Resampling.LANCZOS)
    return develop(picture, view.finish, grains(rng))


def _place(product: Product, view: View, shape: tuple[int, int]) -> tuple[Field, Image.Image]:
    """Return the product's colours and cover as the camera sees them, (height, width)."""
    height, width = shape
    side = 2 * max(shape)
    sheet, cover = product.sheet(side)
    colors = Image.fromarray(sheet.astype(np.uint8)).reduce(2)
    cover = cover.reduce(2)
    ways = _camera(view, shape, side // 2)
    seen = colors.transform(
        (width, height), Image.Transform.PERSPECTIVE, ways, Image.Resampling.BILINEAR
    )
    covered = cover.transform(
        (width, height), Image.Transform.PERSPECTIVE, ways, Image.Resampling.BILINEAR
    )
    return np.asarray(seen, np.float32), covered


def _camera(view: View, shape: tuple[int, int], side: int) -> list[float]:
    """Return the eight numbers of the perspective from picture pixels to sheet pixels."""
    height, width = shape
    yaw, pitch, roll = (math.radians(angle) for angle in (view.yaw, view.pitch, view.roll))
    unit = 0.5 * view.scale * width
    rows: list[list[float]] = []
    wanted: list[float] = []
    for x, y in ((-1.1, -1.1), (1.1, -1.1), (1.1, 1.1), (-1.1, 1.1)):
        turned = (x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll))
        depth = turned[0] * math.sin(yaw) + turned[1] * math.sin(pitch)
        near = 3.5 / (3.5 + depth)
        px = width * (0.5 + view.shift[0]) + unit * near * turned[0] * math.cos(yaw)
        py = height * 0.5 + width * view.shift[1] + unit * near * turned[1] * math.cos(pitch)
        sx = side * (0.5 + (-x if view.mirrored else x) / 2.2)
        sy = side * (0.5 + y / 2.2)
        rows.append([px, py, 1, 0, 0, 0, -px * sx, -py * sx])
        rows.append([0, 0, 0, px, py, 1, -px * sy, -py * sy])
        wanted += [sx, sy]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(wanted))]


def _light(view: View, shape: tuple[int, int]) -> Field:
    """Return the factor of the light over the picture, about 0.4 to 1.3."""
    height, width = shape
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    turn = math.radians(view.light)
    if view.spot:
        cx, cy = 0.25 * math.cos(turn), 0.25 * math.sin(turn)
        bright = np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / 0.75))
        return (0.4 + 0.8 * bright).astype(np.float32)
    return (1 + 0.16 * view.strength * (x * math.cos(turn) + y * math.sin(turn))).astype(np.float32)


def _shadow(view: View, cover: Image.Image) -> Field:
    """Return how dark the product's shadow on the ground is, 0 to 1."""
    turn = math.radians(view.light)
    reach = cover.width * (0.08 if view.spot else 0.045)
    soft = cover.width * (0.012 if view.spot else 0.045)
    blurred = cover.filter(ImageFilter.GaussianBlur(soft))
    moved = blurred.transform(
        cover.size,
        Image.Transform.AFFINE,
        (1, 0, reach * math.cos(turn), 0, 1, reach * math.sin(turn)),
        Image.Resampling.BILINEAR,
    )
    return np.asarray(moved, np.float32) * ((0.6 if view.spot else 0.4) / 255)


def _shaded(colors: Field, cover: Image.Image, view: View, gloss: float) -> Field:
    """Give the product body: darker at edges turned from the light, a shine where it is glossy."""
    height, width = colors.shape[:2]
    turn = math.radians(view.light)
    soft = np.asarray(cover.filter(ImageFilter.GaussianBlur(0.03 * width)), np.float32) / 255
    down, across = np.gradient(soft)
    relief = -(across * math.cos(turn) + down * math.sin(turn)) * 0.06 * width
    light = _light(view, (height, width)) * (0.72 + 0.28 * soft) + 0.35 * view.strength * relief
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    streak = (x * math.cos(turn) + y * math.sin(turn)) + 0.35 * (x - y)
    shine = 70 * gloss * np.exp(-(((streak - 0.25) / 0.13) ** 2))
    lit: Field = colors * light[..., None] + shine[..., None]
    return lit


def _obstruct(picture: Image.Image, name: str, rng: random.Random) -> Image.Image:
    """Put something before the product, with its shadow."""
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    width, height = picture.size
    for points, tone in OBSTACLES[name](rng):
        pixels = [((x + 1) * width / 2, (y + 1) * height / 2) for x, y in points]
        draw.polygon(pixels, fill=(*tone.rgb, 255))
    shadow = layer.getchannel("A").filter(ImageFilter.GaussianBlur(width / 40))
    picture.paste((0, 0, 0), (0, round(height / 60)), shadow.point(lambda value: value * 0.35))
    picture.paste(layer, (0, 0), layer)
    return picture
