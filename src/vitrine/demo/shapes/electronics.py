"""Shapes of electronics, each a function that draws one with a pen."""

from random import Random

from vitrine.demo.geometry import arc, box, ellipse, mirror, smooth
from vitrine.demo.pen import Pen, Shape


def phone(pen: Pen, rng: Random) -> None:
    """A phone, its front with the screen or its back with the lenses."""
    width, corner = rng.uniform(0.84, 0.98), rng.uniform(0.08, 0.2)
    height = rng.uniform(1.7, 1.9)
    pen.fill(box(0.02, 0.02, width, height, corner), "frame", light=0.75)
    pen.fill(box(0, 0, width, height, corner))
    if rng.random() < 0.55:
        pen.fill(box(0, -0.02, width - 0.1, height - 0.22, corner * 0.6), "glass")
        pen.stroke([(-0.1, -height / 2 + 0.06), (0.1, -height / 2 + 0.06)], 0.03, "frame")
        for row in range(3):
            for column in (-1, 0, 1):
                pen.fill(
                    box(column * 0.24, -0.3 + row * 0.24, 0.15, 0.15, 0.04),
                    "second" if (row + column) % 2 else "accent",
                )
    else:
        pen.fill(box(-width / 2 + 0.24, -height / 2 + 0.3, 0.34, 0.44, 0.1), "plain", light=0.8)
        for dy in (0.2, 0.4):
            pen.fill(ellipse(-width / 2 + 0.24, -height / 2 + dy, 0.16, 0.16), "glass")
        pen.emblem(0, 0.2, 0.42)
    pen.trim([(-width / 2 + 0.06, height / 2 - 0.09), (width / 2 - 0.06, height / 2 - 0.09)])


def laptop(pen: Pen, rng: Random) -> None:
    """An open laptop, from the front or its lid from behind."""
    lid, spread = rng.uniform(0.72, 0.82), rng.uniform(0.92, 1.0)
    top, hinge, front = rng.uniform(-0.72, -0.55), 0.3, rng.uniform(0.55, 0.72)
    pen.fill(box(0, (top + hinge) / 2, 2 * lid, hinge - top, 0.06))
    if rng.random() < 0.75:
        pen.fill(
            box(0, (top + hinge) / 2 - 0.01, 2 * lid - 0.12, hinge - top - 0.14, 0.02), "glass"
        )
        pen.fill(box(-0.15, (top + hinge) / 2, 0.7, 0.36, 0.03), "second")
        pen.stroke([(-0.4, (top + hinge) / 2), (0.1, (top + hinge) / 2)], 0.05, "accent")
    else:
        pen.emblem(0, (top + hinge) / 2, 0.4)
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
    pen.trim([(-lid + 0.05, top + 0.04), (lid - 0.05, top + 0.04)])


def headphones(pen: Pen, rng: Random) -> None:
    """Headphones with a band and two cups."""
    reach, cup = rng.uniform(0.62, 0.74), rng.uniform(0.42, 0.56)
    thick = rng.uniform(0.1, 0.2)
    pen.stroke(arc(0, 0.25, reach, 1.08, (180, 360), 40), thick, "second")
    pen.stroke(arc(0, 0.25, reach, 1.08, (215, 325), 30), thick * 1.3)
    pen.trim(arc(0, 0.25, reach, 1.08, (222, 318), 24))
    for side in (-1, 1):
        pen.fill(box(side * (reach - 0.1), 0.38, cup * 0.5, cup * 1.55, 0.1), "frame", light=0.6)
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
    pen.fill(ellipse(x, 0.12, lens, lens), "plain", light=0.5)
    pen.fill(ellipse(x, 0.12, lens * 0.68, lens * 0.68), "glass")
    pen.fill(
        ellipse(x - lens * 0.12, 0.12 - lens * 0.12, lens * 0.2, lens * 0.2), "glass", light=1.5
    )
    pen.emblem(0.7 if x <= 0 else -0.7, 0.3, 0.3)


def speaker(pen: Pen, rng: Random) -> None:
    """A loudspeaker box with two drivers."""
    width, height = rng.uniform(0.95, 1.2), rng.uniform(1.65, 1.9)
    depth = rng.uniform(0.08, 0.2)
    side = [
        (width / 2, -height / 2),
        (width / 2 + depth, -height / 2 + 0.08),
        (width / 2 + depth, height / 2 - 0.08),
        (width / 2, height / 2),
    ]
    pen.fill(side, "plain", light=0.6)
    pen.fill(box(0, 0, width, height, rng.choice((0.02, 0.12))))
    for y, size in ((height * 0.17, width * 0.78), (-height * 0.28, width * 0.46)):
        pen.fill(ellipse(0, y, size * 1.1, size * 1.1), "frame")
        pen.fill(ellipse(0, y, size, size), "plain", "ball", light=0.5)
        pen.fill(ellipse(0, y, size * 0.4, size * 0.4), "second", "ball")
    pen.trim([(-width / 2 + 0.08, height / 2 - 0.08), (width / 2 - 0.08, height / 2 - 0.08)])
    pen.emblem(width * 0.36, -height * 0.42, 0.2)


def television(pen: Pen, rng: Random) -> None:
    """A screen on a foot, or a set on legs with knobs."""
    height = rng.uniform(1.0, 1.2)
    if rng.random() < 0.5:
        pen.fill(
            mirror([(0, 0.4), (0.12, 0.4), (0.14, 0.74), (0.45, 0.8), (0.45, 0.86), (0, 0.86)]),
            "frame",
        )
        pen.fill(box(0, -0.08, 1.96, height, 0.04))
        pen.fill(box(0, -0.1, 1.82, height - 0.18), "glass")
        pen.emblem(0, height / 2 - 0.14, 0.12)
    else:
        for side in (-1, 1):
            pen.stroke([(side * 0.5, 0.4), (side * 0.68, 0.92)], 0.08, "frame")
            pen.stroke([(0, -0.6), (side * 0.36, -1.0)], 0.03, "frame")
        pen.fill(box(0, -0.05, 1.9, height, 0.16))
        corners = [
            (-0.82, -0.48),
            (-0.2, -0.54),
            (0.42, -0.48),
            (0.46, -0.05),
            (0.42, 0.38),
            (-0.2, 0.44),
            (-0.82, 0.38),
            (-0.86, -0.05),
        ]
        pen.fill(smooth(corners), "glass")
        for y in (-0.32, -0.05):
            pen.fill(ellipse(0.7, y, 0.2, 0.2), "frame", "ball")
        for y in (0.16, 0.24, 0.32):
            pen.stroke([(0.6, y), (0.8, y)], 0.03, "accent")
    pen.trim([(-0.88, height / 2 - 0.14), (0.88, height / 2 - 0.14)])


SHAPES: dict[str, Shape] = {
    "phone": phone,
    "laptop": laptop,
    "headphones": headphones,
    "camera": camera,
    "television": television,
}
