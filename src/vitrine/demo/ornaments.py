"""What a style adds to a shape: how edges are finished, and emblems on free places."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vitrine.demo.geometry import Outline, Point, along, box, ellipse

if TYPE_CHECKING:
    from vitrine.demo.pen import Pen


def _no_trim(pen: "Pen", edge: Sequence[Point]) -> None:
    pass


def _seam(pen: "Pen", edge: Sequence[Point]) -> None:
    pen.stroke(edge, 0.02, light=0.8)


def _stitched(pen: "Pen", edge: Sequence[Point]) -> None:
    dashes = along(edge, 0.05)
    for start, end in zip(dashes[::2], dashes[1::2], strict=False):
        pen.stroke([start, end], 0.025, "second")


def _scalloped(pen: "Pen", edge: Sequence[Point]) -> None:
    for x, y in along(edge, 0.11):
        pen.fill(ellipse(x, y, 0.13, 0.13), "second")
    pen.stroke(edge, 0.03, "accent")


def _beaded(pen: "Pen", edge: Sequence[Point]) -> None:
    pen.stroke(edge, 0.03, light=0.7)
    for x, y in along(edge, 0.1):
        pen.fill(ellipse(x, y, 0.055, 0.055), "frame", "ball")


def _band(pen: "Pen", edge: Sequence[Point]) -> None:
    pen.stroke(edge, 0.09, "accent")


def _double_band(pen: "Pen", edge: Sequence[Point]) -> None:
    pen.stroke(edge, 0.13, "accent")
    pen.stroke(edge, 0.05, "second")


TRIMS: dict[str, Callable[["Pen", Sequence[Point]], None]] = {
    "none": _no_trim,
    "seam": _seam,
    "stitched": _stitched,
    "scalloped": _scalloped,
    "beaded": _beaded,
    "band": _band,
    "double band": _double_band,
}


def _no_emblem(pen: "Pen", x: float, y: float, radius: float) -> None:
    pass


def _point(pen: "Pen", x: float, y: float, radius: float) -> None:
    pen.fill(ellipse(x, y, 0.4 * radius, 0.4 * radius), "accent")


def _spokes(x: float, y: float, outer: float, inner: float, count: int) -> Outline:
    turns = [math.pi * (i / count) - math.pi / 2 for i in range(2 * count)]
    return [
        (
            x + (inner if i % 2 else outer) * math.cos(a),
            y + (inner if i % 2 else outer) * math.sin(a),
        )
        for i, a in enumerate(turns)
    ]


def _rosette(pen: "Pen", x: float, y: float, radius: float) -> None:
    for px, py in _spokes(x, y, 0.65 * radius, 0.65 * radius, 4):
        pen.fill(ellipse(px, py, 0.6 * radius, 0.6 * radius), "second")
    pen.fill(ellipse(x, y, 0.7 * radius, 0.7 * radius), "frame", "ball")


def _monogram(pen: "Pen", x: float, y: float, radius: float) -> None:
    pen.fill(ellipse(x, y, 2 * radius, 2 * radius), "second")
    pen.stroke(ellipse(x, y, 1.6 * radius, 1.6 * radius), 0.025, "accent")
    pen.stroke(
        [
            (x - 0.35 * radius, y + 0.4 * radius),
            (x, y - 0.45 * radius),
            (x + 0.35 * radius, y + 0.4 * radius),
        ],
        0.035,
        "accent",
    )


def _crest(pen: "Pen", x: float, y: float, radius: float) -> None:
    shield = [(-0.8, -0.9), (0.8, -0.9), (0.8, 0.1), (0, 1), (-0.8, 0.1)]
    pen.fill([(x + radius * a, y + radius * b) for a, b in shield], "frame")
    pen.fill(ellipse(x, y - 0.15 * radius, 0.9 * radius, 0.9 * radius), "second")


def _star(pen: "Pen", x: float, y: float, radius: float) -> None:
    pen.fill(_spokes(x, y, 1.15 * radius, 0.48 * radius, 5), "accent")


def _bolt(pen: "Pen", x: float, y: float, radius: float) -> None:
    bolt = [(0.25, -1.1), (-0.6, 0.15), (-0.05, 0.15), (-0.3, 1.1), (0.6, -0.25), (0.05, -0.25)]
    pen.fill([(x + radius * a, y + radius * b) for a, b in bolt], "accent")


def _chevrons(pen: "Pen", x: float, y: float, radius: float) -> None:
    for shift in (-0.55, 0.0, 0.55):
        tip = [
            (x - radius, y + radius * (shift - 0.3)),
            (x, y + radius * (shift + 0.3)),
            (x + radius, y + radius * (shift - 0.3)),
        ]
        pen.stroke(tip, 0.28 * radius, "accent")


def _ring(pen: "Pen", x: float, y: float, radius: float) -> None:
    pen.fill(ellipse(x, y, 2 * radius, 2 * radius), "accent")
    pen.fill(ellipse(x, y, 1.2 * radius, 1.2 * radius), "second")
    pen.fill(box(x, y, 2.6 * radius, 0.3 * radius), "accent")


EMBLEMS: dict[str, Callable[["Pen", float, float, float], None]] = {
    "none": _no_emblem,
    "point": _point,
    "rosette": _rosette,
    "monogram": _monogram,
    "crest": _crest,
    "star": _star,
    "bolt": _bolt,
    "chevrons": _chevrons,
    "ring": _ring,
}
