"""Outlines of parts: lists of points in a box from -1 to 1, x to the right and y down."""

import math
from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]
Outline = list[Point]


def mirror(half: Sequence[Point]) -> Outline:
    """Close the right half of a symmetrical outline, given from its top to its bottom."""
    return [*half, *((-x, y) for x, y in reversed(half) if x != 0)]


def flipped(points: Sequence[Point]) -> Outline:
    """Return the points on the other side of the vertical axis."""
    return [(-x, y) for x, y in points]


def box(x: float, y: float, width: float, height: float, corner: float = 0.0) -> Outline:
    """Return a rectangle by its centre, its corners rounded by a radius."""
    right, bottom = width / 2 - corner, height / 2 - corner
    corners = (
        (right, bottom, 0),
        (-right, bottom, 90),
        (-right, -bottom, 180),
        (right, -bottom, 270),
    )
    points: Outline = []
    for dx, dy, start in corners:
        points += arc(x + dx, y + dy, corner, corner, (start, start + 90), 6 if corner else 1)
    return points


def ellipse(x: float, y: float, width: float, height: float) -> Outline:
    """Return an ellipse by its centre and its two diameters."""
    return arc(x, y, width / 2, height / 2, (0, 360), 40)


def arc(
    x: float, y: float, across: float, down: float, between: tuple[float, float], steps: int = 24
) -> Outline:
    """Return points along an ellipse's edge between two angles: degrees, clockwise from right."""
    start, end = between
    angles = [math.radians(start + (end - start) * i / max(1, steps - 1)) for i in range(steps)]
    return [(x + across * math.cos(a), y + down * math.sin(a)) for a in angles]


def smooth(points: Sequence[Point], steps: int = 7) -> Outline:
    """Return a closed Catmull-Rom curve through the points."""
    curve: Outline = []
    n = len(points)
    for i in range(n):
        p0, p1, p2, p3 = (points[(i + k) % n] for k in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            curve.append(
                (_between(p0[0], p1[0], p2[0], p3[0], t), _between(p0[1], p1[1], p2[1], p3[1], t))
            )
    return curve


def along(points: Sequence[Point], gap: float) -> Outline:
    """Return points at equal distances along an open line, both ends included."""
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    total = sum(lengths)
    count = max(1, round(total / gap))
    spaced: Outline = []
    index, passed = 0, 0.0
    for k in range(count + 1):
        wanted = total * k / count
        while index < len(lengths) - 1 and passed + lengths[index] < wanted:
            passed += lengths[index]
            index += 1
        share = (wanted - passed) / lengths[index] if lengths[index] else 0.0
        (x0, y0), (x1, y1) = points[index], points[index + 1]
        spaced.append((x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
    return spaced


def _between(before: float, start: float, end: float, after: float, t: float) -> float:
    return 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
