"""Shapes of clothing, each a function that draws one with a pen."""

from random import Random

from vitrine.demo.geometry import arc, box, ellipse, flipped, mirror, smooth
from vitrine.demo.pen import Pen, Shape


def _hanger(pen: Pen, top: float, reach: float) -> None:
    """Draw a hanger's hook and arms, whose middle is at `top`."""
    pen.stroke(arc(0.05, top - 0.13, 0.07, 0.07, (180, 400), 14), 0.04, "frame")
    pen.stroke([(-reach, top + 0.1), (0, top), (reach, top + 0.1)], 0.05, "frame")
    pen.stroke([(0, top - 0.1), (0, top)], 0.04, "frame")


def t_shirt(pen: Pen, rng: Random) -> None:
    """A shirt with short or long sleeves."""
    waist, hem = rng.uniform(0.46, 0.58), rng.uniform(0.75, 0.95)
    if rng.random() < 0.25:
        cuff, inner = (0.95, 0.62), (0.74, 0.68)
    else:
        cuff, inner = (rng.uniform(0.92, 1.0), rng.uniform(-0.3, -0.1)), (0.72, 0.0)
    half = [
        (0, -0.66),
        (0.2, -0.8),
        (0.56, -0.72),
        cuff,
        inner,
        (0.5, -0.28),
        (waist, hem),
        (0, hem),
    ]
    _hanger(pen, -0.82, 0.4)
    pen.fill(mirror(half), volume="cloth")
    pen.stroke([(0.5, -0.28), (0.55, -0.66)], 0.02, light=0.75)
    pen.stroke([(-0.5, -0.28), (-0.55, -0.66)], 0.02, light=0.75)
    pen.trim(arc(0, -0.82, 0.21, 0.17, (10, 170), 12))
    pen.trim([(-waist, hem - 0.05), (waist, hem - 0.05)])
    pen.trim([cuff, inner])
    pen.trim(flipped([cuff, inner]))
    pen.emblem(0, -0.1, 0.44)


def dress(pen: Pen, rng: Random) -> None:
    """A dress with a waist and a wide or narrow skirt."""
    waist, hem, length = rng.uniform(0.24, 0.3), rng.uniform(0.45, 0.82), rng.uniform(0.75, 0.97)
    strap = rng.uniform(0.22, 0.36)
    half = [
        (0, -0.62),
        (strap - 0.1, -0.95),
        (strap, -0.95),
        (0.38, -0.52),
        (waist, -0.12),
        (hem, length),
    ]
    skirt = arc(0, length, hem, 0.06, (0, 90), 8)
    pen.fill(mirror([*half, *skirt]), volume="cloth")
    if rng.random() < 0.4:
        sleeve = [(strap, -0.95), (0.62, -0.5), (0.5, -0.38), (0.36, -0.55)]
        pen.fill(sleeve, light=0.9)
        pen.fill(flipped(sleeve), light=0.9)
    pen.stroke([(-waist, -0.12), (waist, -0.12)], 0.07, "second")
    for x in (-0.35, 0.0, 0.35):
        pen.stroke([(x * waist, 0.0), (x * hem, length - 0.05)], 0.015, light=0.82)
    pen.trim(arc(0, length - 0.07, hem - 0.03, 0.06, (0, 180), 12))
    pen.trim([(-strap + 0.08, -0.93), (0, -0.62), (strap - 0.08, -0.93)])
    pen.emblem(0, -0.36, 0.26)


def trousers(pen: Pen, rng: Random) -> None:
    """A pair of trousers on a hanger."""
    ankle, length = rng.uniform(0.36, 0.66), rng.uniform(0.85, 0.97)
    half = [
        (0, -0.78),
        (0.42, -0.78),
        (0.5, -0.45),
        (ankle, length),
        (ankle - 0.32, length),
        (0.03, -0.2),
        (0, -0.22),
    ]
    _hanger(pen, -0.84, 0.46)
    pen.fill(mirror(half), volume="cloth")
    pen.fill(box(0, -0.73, 0.86, 0.14), "second", light=0.95)
    pen.fill(box(0, -0.73, 0.09, 0.09, 0.02), "frame")
    pen.stroke([(0, -0.66), (0, -0.3)], 0.02, light=0.7)
    for side in (-1, 1):
        pen.fill(box(side * 0.3, -0.78, 0.08, 0.12), "frame")
        pen.trim([(side * 0.26, -0.65), (side * 0.46, -0.45)])
        pen.trim([(side * (ankle - 0.32), length - 0.06), (side * ankle, length - 0.06)])
        pen.stroke([(side * 0.27, -0.1), (side * (ankle - 0.16), length - 0.1)], 0.012, light=0.85)
    pen.emblem(0.28, -0.3, 0.26)


def sneaker(pen: Pen, rng: Random) -> None:
    """A shoe from the side."""
    top = rng.uniform(-0.5, -0.3)
    sole = rng.uniform(0.14, 0.24)
    upper = smooth(
        [
            (-0.9, 0.35),
            (-0.88, top + 0.1),
            (-0.68, top),
            (-0.36, top - 0.06),
            (-0.18, top - 0.1),
            (0.12, -0.18),
            (0.55, 0.02),
            (0.9, 0.2),
            (0.94, 0.38),
            (0.4, 0.4),
            (-0.4, 0.4),
        ]
    )
    pen.fill(upper, volume="ball")
    toe = smooth([(0.55, 0.38), (0.6, 0.08), (0.84, 0.14), (0.93, 0.36)])
    pen.fill(toe, "second", light=0.97)
    pen.fill(ellipse(-0.5, top, 0.42, 0.12), "plain", light=0.45)
    pen.fill(box(0.01, 0.35 + sole / 2, 1.9, sole, 0.07), "second")
    pen.stroke([(-0.9, 0.35 + sole * 0.6), (0.92, 0.35 + sole * 0.6)], 0.025, "accent")
    for i in range(4):
        x, y = -0.15 + 0.15 * i, top + 0.12 + (0.1 - top) * 0.17 * i
        pen.stroke(
            [(x - 0.09, y + 0.06), (x + 0.07, y - 0.05)], 0.035, "accent" if i % 2 else "second"
        )
    pen.trim([(-0.84, 0.12), (-0.5, 0.16), (-0.1, 0.22), (0.5, 0.26)])
    pen.emblem(-0.35, 0.05, 0.3)


SHAPES: dict[str, Shape] = {
    "t-shirt": t_shirt,
    "dress": dress,
    "trousers": trousers,
    "sneaker": sneaker,
}
