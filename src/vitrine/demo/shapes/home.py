"""Shapes of things for the home, each a function that draws one with a pen."""

from random import Random

from vitrine.demo.geometry import arc, ellipse, mirror, smooth
from vitrine.demo.pen import Pen, Shape


def chair(pen: Pen, rng: Random) -> None:
    """A chair with a closed back."""
    width, back = rng.uniform(0.42, 0.54), rng.uniform(-0.98, -0.8)
    for side in (-1, 1):
        pen.stroke(
            [(side * width * 0.8, 0.15), (side * width * 0.75, 0.78)], 0.07, "frame", light=0.7
        )
        pen.stroke([(side * width, 0.2), (side * (width + 0.12), 0.97)], 0.09, "frame")
    rest = [(0, back - 0.06), (width * 0.8, back), (width, back + 0.15), (width * 0.9, 0.05)]
    pen.fill(mirror([*rest, (0, 0.05)]))
    pen.emblem(0, back / 2, 0.4)
    seat = mirror([(0, 0.02), (width * 0.9, 0.02), (width + 0.14, 0.24), (0, 0.28)])
    pen.fill(seat, volume="cloth")
    pen.fill(
        mirror([(0, 0.27), (width + 0.14, 0.23), (width + 0.12, 0.33), (0, 0.37)]),
        "second",
        light=0.85,
    )
    pen.trim([(-width - 0.08, 0.24), (0, 0.27), (width + 0.08, 0.24)])


def lamp(pen: Pen, rng: Random) -> None:
    """A table or floor lamp with a shade."""
    top, wide, drop = rng.uniform(0.25, 0.45), rng.uniform(0.55, 0.75), rng.uniform(-0.25, 0.0)
    if rng.random() < 0.5:
        pen.stroke([(0, -0.3), (0, 0.9)], 0.08, "frame")
    else:
        foot = [(0, drop - 0.05), (0.1, drop), (0.3, 0.35), (0.26, 0.6), (0.12, 0.85), (0, 0.85)]
        pen.fill(smooth(mirror(foot), 4), "second", "round")
    pen.fill(ellipse(0, 0.9, 0.8, 0.16), "frame", "round")
    shade = mirror([(0, -0.95), (top, -0.95), (wide, drop), (0, drop + 0.04)])
    pen.fill(shade, volume="round", light=1.1)
    pen.trim([(-wide + 0.03, drop - 0.04), (0, drop), (wide - 0.03, drop - 0.04)])
    pen.emblem(0, -0.45, 0.34)


def vase(pen: Pen, rng: Random) -> None:
    """A vase with a few stems."""
    neck, belly, foot = rng.uniform(0.14, 0.3), rng.uniform(0.42, 0.68), rng.uniform(0.2, 0.36)
    at, mouth = rng.uniform(0.1, 0.5), rng.uniform(-0.55, -0.2)
    for i in range(rng.randint(2, 4)):
        tip = ((i - 1.2) * 0.26, rng.uniform(-0.93, -0.72))
        pen.stroke([(0, mouth), (tip[0] * 0.4, (mouth + tip[1]) / 2), tip], 0.03, "frame")
        pen.fill(ellipse(*tip, 0.22, 0.22), "accent" if i % 2 else "second", "ball")
    half = [
        (0, mouth),
        (neck + 0.06, mouth),
        (neck, mouth + 0.2),
        (belly, at),
        (foot, 0.88),
        (foot, 0.95),
        (0, 0.95),
    ]
    pen.fill(smooth(mirror(half), 5), volume="round")
    pen.fill(ellipse(0, mouth + 0.02, 2 * neck + 0.1, 0.12), "plain", light=0.5)
    pen.trim([(-belly + 0.06, at), (0, at + 0.06), (belly - 0.06, at)])
    pen.emblem(0, at - 0.1, 0.4)


def mug(pen: Pen, rng: Random) -> None:
    """A mug or cup, with or without a saucer."""
    top, bottom = rng.uniform(0.55, 0.66), rng.uniform(0.36, 0.6)
    height = rng.uniform(0.5, 0.7)
    if rng.random() < 0.4:
        pen.fill(ellipse(-0.05, height + 0.08, 1.9, 0.34), "second", "ball")
    pen.stroke(arc(top - 0.12, 0.02, 0.42, 0.36, (-100, 110), 24), 0.13, "plain", light=0.85)
    half = [
        (0, -height),
        (top, -height),
        (bottom, height),
        *arc(0, height, bottom, 0.1, (0, 90), 8),
    ]
    pen.fill([(x - 0.12, y) for x, y in mirror(half)], volume="round")
    pen.fill(ellipse(-0.12, -height, 2 * top, 0.3), "second")
    pen.fill(ellipse(-0.12, -height + 0.02, 2 * top - 0.12, 0.21), "frame", light=0.55)
    pen.trim(arc(-0.12, height - 0.18, bottom, 0.1, (10, 170), 12))
    pen.emblem(-0.12, 0.08, 0.5)


SHAPES: dict[str, Shape] = {
    "chair": chair,
    "lamp": lamp,
    "vase": vase,
    "mug": mug,
}
