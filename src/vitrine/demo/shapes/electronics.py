"""Shapes of electronics, each a function that draws one with a pen."""

from random import Random

from vitrine.demo.geometry import arc, box, ellipse, mirror, smooth
from vitrine.demo.pen import Pen, Shape


def phone(pen: Pen, rng: Random) -> None:
    """A phone twice: its back with the lenses and, half before it, its front with the screen."""
    width, corner = rng.uniform(0.78, 0.88), rng.uniform(0.08, 0.18)
    height, apart = rng.uniform(1.6, 1.75), rng.uniform(0.22, 0.3)
    pen.fill(box(-apart, -0.08, width, height, corner))
    left, top = -apart - width / 2 + 0.2, -0.08 - height / 2 + 0.28
    pen.fill(box(left, top, 0.28, 0.42, 0.1), "frame", light=0.7)
    for y in (top - 0.09, top + 0.09):
        pen.fill(ellipse(left, y, 0.15, 0.15), "glass")
    pen.emblem(-apart - 0.12, 0.25, 0.34)
    bottom = 0.06 + height / 2 - 0.09
    pen.fill(box(apart, 0.08, width, height, corner), "frame", light=0.75)
    pen.fill(box(apart, 0.08, width - 0.08, height - 0.1, corner * 0.7), "glass")
    pen.stroke(
        [(apart - 0.09, 0.16 - height / 2), (apart + 0.09, 0.16 - height / 2)], 0.05, "frame"
    )
    for row in range(3):
        for column in (-1, 0, 1):
            icon = box(apart + column * 0.22, -0.2 + row * 0.24, 0.14, 0.14, 0.04)
            pen.fill(icon, "second" if (row + column) % 2 else "accent")
    pen.trim([(-apart - width / 2 + 0.06, bottom - 0.14), (-apart + 0.1, bottom - 0.14)])


def laptop(pen: Pen, rng: Random) -> None:
    """An open laptop with a window on its screen."""
    lid, spread = rng.uniform(0.72, 0.82), rng.uniform(0.92, 1.0)
    top, hinge, front = rng.uniform(-0.72, -0.55), 0.3, rng.uniform(0.55, 0.72)
    pen.fill(box(0, (top + hinge) / 2, 2 * lid, hinge - top, 0.06))
    middle = (top + hinge) / 2
    pen.fill(box(0, middle - 0.01, 2 * lid - 0.16, hinge - top - 0.16, 0.02), "glass")
    pen.fill(box(-0.15, middle, 0.7, 0.34, 0.03), "second")
    pen.stroke([(-0.4, middle), (0.1, middle)], 0.05, "accent")
    pen.fill(mirror([(0, hinge), (lid, hinge), (spread, front), (0, front)]), "plain", light=0.92)
    for row in range(3):
        y = hinge + 0.05 + row * (front - hinge) * 0.19
        reach = lid - 0.1 + 0.12 * row / 3
        for i in range(9):
            pen.fill(box(reach * (i - 4) / 4.3, y, 0.12, 0.035), "frame", light=0.8)
    pen.fill(box(0, front - 0.08, 0.4, 0.09, 0.02), "second")
    pen.fill(
        mirror([(0, front), (spread, front), (spread - 0.03, front + 0.06), (0, front + 0.06)]),
        "frame",
    )
    pen.emblem(spread - 0.2, front - 0.13, 0.16)
    pen.trim([(-lid + 0.05, top + 0.04), (lid - 0.05, top + 0.04)])


def headphones(pen: Pen, rng: Random) -> None:
    """Headphones with a band and two cups."""
    reach, cup = rng.uniform(0.6, 0.7), rng.uniform(0.42, 0.52)
    thick = rng.uniform(0.1, 0.2)
    pen.stroke(arc(0, 0.25, reach, 1.08, (180, 360), 40), thick, "second")
    pen.stroke(arc(0, 0.25, reach, 1.08, (215, 325), 30), thick * 1.3)
    pen.trim(arc(0, 0.25, reach, 1.08, (222, 318), 24))
    for side in (-1, 1):
        pen.fill(box(side * (reach - 0.12), 0.38, cup * 0.6, cup * 1.55, 0.1), "glass")
        pen.fill(ellipse(side * (reach + 0.05), 0.38, cup, cup * 1.7), volume="ball")
        pen.fill(ellipse(side * (reach + 0.07), 0.38, cup * 0.55, cup), "second", light=0.95)
        pen.emblem(side * (reach + 0.07), 0.38, cup * 0.5)


def camera(pen: Pen, rng: Random) -> None:
    """A camera from the front: body, lens, finder, flash."""
    height, lens = rng.uniform(0.9, 1.15), rng.uniform(0.66, 0.86)
    x = rng.choice((0.0, 0.12, -0.12))
    pen.fill(box(x, -height / 2 - 0.05, 0.62, 0.34, 0.06), "plain", light=0.9)
    pen.fill(box(0.66, -height / 2 - 0.02, 0.26, 0.12, 0.03), "frame")
    pen.fill(box(0, 0.05, 1.86, height, 0.12))
    pen.fill(box(0, 0.05 - height / 2 + 0.12, 1.86, 0.22, 0.08), "second")
    pen.fill(box(-0.68, 0.05 - height / 2 + 0.13, 0.26, 0.15, 0.03), "glass")
    pen.trim([(-0.88, 0.3 - height / 2), (0.88, 0.3 - height / 2)])
    pen.fill(ellipse(x, 0.12, lens * 1.16, lens * 1.16), "frame", "ball")
    pen.fill(ellipse(x, 0.12, lens, lens), "frame", light=0.5)
    pen.fill(ellipse(x, 0.12, lens * 0.68, lens * 0.68), "glass")
    pen.fill(
        ellipse(x - lens * 0.12, 0.12 - lens * 0.12, lens * 0.2, lens * 0.2), "glass", light=1.5
    )
    pen.emblem(0.7 if x <= 0 else -0.7, 0.3, 0.3)


def television(pen: Pen, rng: Random) -> None:
    """A television set with knobs, on legs, with or without aerials."""
    height, leg = rng.uniform(1.05, 1.2), rng.uniform(0.6, 0.75)
    aerials = rng.random() < 0.6
    for side in (-1, 1):
        pen.stroke([(side * 0.5, 0.4), (side * leg, 0.92)], 0.08, "frame")
        if aerials:
            pen.stroke([(0, -0.6), (side * 0.36, -1.0)], 0.03, "frame")
    pen.fill(box(0, -0.05, 1.9, height, 0.16))
    x, y, half = -0.2, -0.05, height / 2 - 0.13
    corners = [(-0.62, -half), (0, -half - 0.05), (0.62, -half), (0.66, 0)]
    tube = [(x + dx, y + dy) for dx, dy in (*corners, (0.62, half), (0, half + 0.05))]
    pen.fill(smooth([*tube, (x - 0.62, y + half), (x - 0.66, y)]), "glass")
    for knob in (-0.32, -0.05):
        pen.fill(ellipse(0.7, knob, 0.2, 0.2), "frame", "ball")
    for slit in (0.16, 0.24, 0.32):
        pen.stroke([(0.6, slit), (0.8, slit)], 0.03, "accent")
    pen.trim([(-0.88, height / 2 - 0.12), (0.88, height / 2 - 0.12)])


SHAPES: dict[str, Shape] = {
    "phone": phone,
    "laptop": laptop,
    "headphones": headphones,
    "camera": camera,
    "television": television,
}
