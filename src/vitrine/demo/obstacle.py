"""What covers a part of a product: coloured outlines over the picture, from -1 to 1."""

import random
from collections.abc import Callable

from vitrine.demo.color import Tone
from vitrine.demo.geometry import Outline, arc, box, ellipse

Parts = list[tuple[Outline, Tone]]


def _hand(rng: random.Random) -> Parts:
    """Fingers that reach in from the right."""
    skin = Tone(rng.uniform(0.45, 0.85), rng.uniform(0.05, 0.08), rng.uniform(45, 65))
    tip, y = rng.uniform(0.25, 0.5), rng.uniform(0.0, 0.5)
    parts: Parts = []
    for i, reach in enumerate((0.08, 0.0, 0.03, 0.14)):
        top = y + 0.16 * i
        finger = [
            *arc(tip + reach, top, 0.09, 0.075, (90, 270), 10),
            (1.2, top - 0.12),
            (1.2, top + 0.16),
        ]
        parts.append((finger, skin.lit(-0.03 * (i % 2))))
        nail = ellipse(tip + reach - 0.02, top, 0.08, 0.08)
        parts.append((nail, skin.lit(0.09)))
    return parts


def _tag(rng: random.Random) -> Parts:
    """A price tag on a string."""
    paper = Tone(rng.choice((0.97, 0.8, 0.3)), rng.choice((0.0, 0.05)), 75)
    x, y = rng.uniform(-0.4, 0.4), rng.uniform(0.0, 0.5)
    string = [
        (x - 0.01, y - 0.75),
        (x + 0.02, y - 0.75),
        (x + 0.02, y - 0.25),
        (x - 0.01, y - 0.25),
    ]
    label = [
        (x - 0.12, y - 0.3),
        (x + 0.12, y - 0.3),
        (x + 0.2, y - 0.2),
        (x + 0.2, y + 0.28),
        (x - 0.2, y + 0.28),
        (x - 0.2, y - 0.2),
    ]
    parts: Parts = [
        (label, paper),
        (ellipse(x, y - 0.22, 0.07, 0.07), paper.apart(0.4)),
        (string, paper.apart(0.3)),
    ]
    for line, width in ((-0.05, 0.26), (0.05, 0.2), (0.16, 0.28)):
        parts.append((box(x, y + line, width, 0.04), paper.apart(0.5)))
    return parts


def _leaves(rng: random.Random) -> Parts:
    """Leaves of a plant in a lower corner."""
    green = Tone(rng.uniform(0.4, 0.65), rng.uniform(0.06, 0.13), rng.uniform(115, 160))
    side = rng.choice((-1, 1))
    parts: Parts = []
    for i in range(5):
        x, y = side * rng.uniform(0.15, 0.5), rng.uniform(-0.1, 0.6)
        root = (side * 1.05, 1.1)
        across = (0.13 * (root[1] - y), 0.13 * (x - root[0]))
        middle = ((x + root[0]) / 2, (y + root[1]) / 2)
        leaf = [
            root,
            (middle[0] + across[0], middle[1] + across[1]),
            (x, y),
            (middle[0] - across[0], middle[1] - across[1]),
        ]
        parts.append((leaf, green.lit(0.05 * (i % 3) - 0.05)))
    return parts


def _carton(rng: random.Random) -> Parts:
    """A box that stands in front."""
    tone = Tone(rng.uniform(0.4, 0.9), rng.choice((0.01, 0.06, 0.12)), rng.uniform(0, 360))
    side, top = rng.choice((-1, 1)), rng.uniform(0.15, 0.4)
    inner, outer = 0.2 * side, 0.85 * side
    lid = [(inner, top), (outer, top), (outer + 0.15, top - 0.15), (inner + 0.15, top - 0.15)]
    front = [(inner, top), (outer, top), (outer, 0.85), (inner, 0.85)]
    tape = [
        (inner + 0.26 * side, top),
        (inner + 0.36 * side, top),
        (inner + 0.36 * side, 0.85),
        (inner + 0.26 * side, 0.85),
    ]
    return [(lid, tone.lit(0.08)), (front, tone), (tape, tone.apart(0.12))]


def _ball(rng: random.Random) -> Parts:
    """Two balls that lie in front."""
    tone = Tone(rng.uniform(0.4, 0.9), rng.choice((0.01, 0.06, 0.12)), rng.uniform(0, 360))
    side = rng.choice((-1, 1))
    parts: Parts = []
    for x, y, size in ((0.5, 0.55, 0.6), (0.1, 0.72, 0.3)):
        for inset in (0.0, 0.15, 0.3):
            ball = ellipse(
                side * x - inset * size / 3,
                y - inset * size / 3,
                size * (1 - inset),
                size * (1 - inset),
            )
            parts.append((ball, tone.lit(inset / 4)))
    return parts


OBSTACLES: dict[str, Callable[[random.Random], Parts]] = {
    "hand": _hand,
    "tag": _tag,
    "leaves": _leaves,
    "carton": _carton,
    "ball": _ball,
}
