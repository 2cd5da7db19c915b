"""Draws the parts of a product with the paints of its design."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from vitrine.demo.chance import grains
from vitrine.demo.color import Tone
from vitrine.demo.design import Design
from vitrine.demo.geometry import Point
from vitrine.demo.ornaments import EMBLEMS, TRIMS
from vitrine.demo.patterns import PATTERNS, SURFACES, Field, noise

Paint = Literal["body", "plain", "second", "accent", "frame", "glass"]
Volume = Literal["flat", "round", "ball", "cloth"]


class Pen:
    """A square sheet on which one product is drawn, part over part.

    Coordinates go from -1 to 1, x to the right and y down; a product fills about that box.

    Args:
        design: The colours, pattern and ornaments.
        side: Of the sheet, in pixels.
        rng: Of folds and wear.
    """

    def __init__(self, design: Design, side: int, rng: random.Random) -> None:
        self.design = design
        self.side = side
        self._noise = grains(rng)
        self._colors = Image.new("RGB", (side, side), design.body.rgb)
        self._cover = Image.new("L", (side, side), 0)
        self._shade = Image.new("L", (side, side), 128)
        self._body = _textile(design, side)
        self._volumes = _volumes(self._noise)

    def fill(
        self,
        points: Sequence[Point],
        paint: Paint = "body",
        volume: Volume = "flat",
        light: float = 1.0,
    ) -> None:
        """Draw a closed part.

        Args:
            points: Its outline.
            paint: What it is made of.
            volume: How light falls on it: a cylinder, a ball, folds.
            light: A factor on its brightness, for a face turned to or from the light.
        """
        part = Image.new("L", (self.side, self.side), 0)
        ImageDraw.Draw(part).polygon(self._pixels(points), fill=255)
        self._lay(part, paint, volume, light)
        if self.design.outline and paint != "glass":
            self.stroke([*points, points[0]], self.design.outline, light=0.45)

    def stroke(
        self, points: Sequence[Point], width: float, paint: Paint = "plain", light: float = 1.0
    ) -> None:
        """Draw an open line of a width, its ends round."""
        part = Image.new("L", (self.side, self.side), 0)
        draw = ImageDraw.Draw(part)
        pixels = self._pixels(points)
        thick = max(1, round(width * self.side / 2.2))
        draw.line(pixels, fill=255, width=thick, joint="curve")
        for x, y in (pixels[0], pixels[-1]):
            draw.ellipse([x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2], fill=255)
        self._lay(part, paint, "flat", light)

    def cut(self, points: Sequence[Point]) -> None:
        """Make a hole through everything drawn so far."""
        ImageDraw.Draw(self._cover).polygon(self._pixels(points), fill=0)

    def trim(self, edge: Sequence[Point]) -> None:
        """Finish an edge in the design's way."""
        TRIMS[self.design.trim](self, edge)

    def emblem(self, x: float, y: float, size: float) -> None:
        """Put the design's emblem, if it has one, on a free place of a given diameter."""
        EMBLEMS[self.design.emblem](self, x, y, size / 2)

    def sheet(self) -> tuple[Field, Image.Image]:
        """Return the product: colours 0 to 255, (side, side, 3), and where it covers the ground."""
        colors: Field = np.asarray(self._colors, np.float32)
        colors = colors * (np.asarray(self._shade, np.float32)[..., None] / 128)
        axis = np.linspace(-1.1, 1.1, self.side, dtype=np.float32)
        colors = colors * SURFACES[self.design.surface](*np.meshgrid(axis, axis))[..., None]
        if self.design.worn:
            colors = self._wear(colors)
        return np.clip(colors, 0, 255), self._cover

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        scale = self.side / 2.2
        return [((x + 1.1) * scale, (y + 1.1) * scale) for x, y in points]

    def _lay(self, part: Image.Image, paint: Paint, volume: Volume, light: float) -> None:
        box = part.getbbox()
        if box is None:
            return
        part = part.crop(box)
        size = part.size
        if paint == "body":
            self._colors.paste(self._body.crop(box), box, part)
        elif paint == "glass":
            self._colors.paste(_glass(self.design, size), box, part)
        else:
            tone: Tone = getattr(self.design, "body" if paint == "plain" else paint)
            self._colors.paste(tone.rgb, box, part)
        self._cover.paste(255, box, part)
        shade = self._volumes[volume].resize(size, Image.Resampling.BILINEAR)
        self._shade.paste(shade.point(lambda value: value * light), box, part)

    def _wear(self, colors: Field) -> Field:
        """Fade the colours in patches and scratch them."""
        size = (self.side, self.side)
        worn = self.design.worn
        patches = np.clip(
            noise(self._noise, size, (7, 7)) + 0.5 * noise(self._noise, size, (28, 28)), -1, 1
        )
        faded = colors + (200 - colors) * (0.35 * worn * np.clip(patches, 0, 1))[..., None]
        dirty = faded * (1 + 0.45 * worn * np.clip(patches, -1, 0))[..., None]
        scratches = Image.new("L", size, 0)
        draw = ImageDraw.Draw(scratches)
        for x, y, angle, length in self._noise.uniform(0, 1, (round(14 * worn), 4)):
            start = (x * self.side, y * self.side)
            reach, turn = 0.12 * length * self.side, 2 * math.pi * angle
            end = (start[0] + reach * math.cos(turn), start[1] + reach * math.sin(turn))
            draw.line([start, end], fill=110, width=max(1, self.side // 200))
        lines = np.asarray(scratches, np.float32)[..., None] / 255
        scratched: Field = dirty + (235 - dirty) * lines
        return scratched


def _textile(design: Design, side: int) -> Image.Image:
    """The body's colours with their pattern over the whole sheet."""
    axis = np.linspace(-1.1, 1.1, side, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    turn = math.radians(design.angle)
    u = (x * math.cos(turn) + y * math.sin(turn)) / design.period
    v = (y * math.cos(turn) - x * math.sin(turn)) / design.period
    place = np.clip(PATTERNS[design.pattern](u, v), 0, 2)
    colors = np.array([design.body.rgb, design.second.rgb, design.accent.rgb], np.float32)
    steps = np.linspace(0, 2, 129)
    ramp = np.stack([np.interp(steps, [0, 1, 2], colors[:, c]) for c in range(3)], axis=1)
    return Image.fromarray(ramp.astype(np.uint8)[np.rint(place * 64).astype(np.intp)])


def _glass(design: Design, size: tuple[int, int]) -> Image.Image:
    """A screen or lens: from one tone up to another, with a reflection from corner to corner."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    low, high = (np.array(tone.rgb, np.float32) for tone in design.glass)
    colors = high + (low - high) * np.clip(0.7 * y + 0.3 * x, 0, 1)[..., None]
    colors += 22.0 * ((x + 0.6 * y > 0.55) & (x + 0.6 * y < 0.85))[..., None]
    return Image.fromarray(np.clip(colors, 0, 255).astype(np.uint8))


def _volumes(rng: np.random.Generator) -> dict[str, Image.Image]:
    axis = np.linspace(-1, 1, 48, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    folds = noise(rng, (48, 48), (2, 7)) + 0.6 * noise(rng, (48, 48), (3, 4))
    fields = {
        "flat": np.ones_like(x),
        "round": 0.72 + 0.4 * np.sqrt(np.clip(1 - (x + 0.25) ** 2 / 1.6, 0, 1)),
        "ball": 1.15 - 0.32 * ((x + 0.3) ** 2 + (y + 0.35) ** 2),
        "cloth": 1 + 0.2 * folds - 0.06 * np.abs(x),
    }
    return {
        name: Image.fromarray(np.clip(128 * field, 0, 255).astype(np.uint8))
        for name, field in fields.items()
    }


Shape = Callable[[Pen, random.Random], None]
"""Draws one product with a pen; what it draws by chance differs between products."""
