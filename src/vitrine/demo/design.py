"""The design language of each style: what colours, patterns, ornaments and wear a product gets."""

import random
from dataclasses import dataclass, replace

from vitrine.demo.color import Tone


@dataclass(frozen=True, slots=True)
class Design:
    """How a product looks, whatever its shape.

    Args:
        body: The main colour.
        second: The pattern's other colour; also soles, cushions and other second parts.
        accent: The pattern's third colour; also emblems and bands.
        frame: Legs, stands, clasps, hinges.
        glass: A screen's two colours, from its lower to its upper edge.
        pattern: A name in `patterns.PATTERNS`.
        period: How long one repeat of the pattern is, where the product's box has sides of 2.
        angle: How far the pattern is turned, in degrees.
        trim: A name in `ornaments.TRIMS`: how edges are finished.
        emblem: A name in `ornaments.EMBLEMS`: what is put on a free place.
        outline: Width of the drawn contour; 0 = none.
        worn: How far wear changes the colours, 0 to 1.
        gloss: How strongly it reflects a light, 0 to 1.
        surface: A name in `patterns.SURFACES`: what the light shows of the material.
    """

    body: Tone
    second: Tone
    accent: Tone
    frame: Tone
    glass: tuple[Tone, Tone]
    pattern: str
    period: float
    angle: float
    trim: str
    emblem: str
    outline: float
    worn: float
    gloss: float
    surface: str


def minimalist(rng: random.Random, surface: str) -> Design:
    """Few flat tones of one hue, no ornament, clean edges."""
    hue = rng.uniform(0, 360)
    chroma = rng.choice((0.01, 0.01, 0.02, 0.04, 0.06, 0.1))
    body = Tone(rng.choice((0.22, 0.35, 0.45, 0.55, 0.65, 0.75, 0.92)), chroma, hue)
    dark = Tone(rng.uniform(0.2, 0.3), 0.01, hue)
    return Design(
        body=body,
        second=body.apart(rng.uniform(0.08, 0.2)),
        accent=body.apart(rng.uniform(0.15, 0.3)),
        frame=rng.choice((Tone(0.75, 0.01, hue), Tone(0.72, 0.05, 70), dark)),
        glass=(dark, dark.lit(0.08)),
        pattern=rng.choice(("plain", "plain", "plain", "plain", "plain", "two-tone", "lined")),
        period=rng.uniform(0.5, 0.9),
        angle=0.0,
        trim=rng.choice(("none", "none", "seam")),
        emblem=rng.choice(("none", "none", "none", "point")),
        outline=0.0,
        worn=0.0,
        gloss=rng.uniform(0.0, 0.1),
        surface=surface,
    )


_FADED = (20, 40, 55, 70, 85, 110, 150, 195, 250, 345)
"""Hues of old dyes: madder, rust, tan, mustard, olive, bottle green, teal, slate, plum."""


def vintage(rng: random.Random, surface: str) -> Design:
    """Muted colours, repeated ornament, stitched and scalloped edges, brass, wear."""
    hue = rng.choice(_FADED) + rng.uniform(-8, 8)
    body = Tone(rng.uniform(0.3, 0.8), rng.uniform(0.03, 0.09), hue)
    other = rng.choice(_FADED) + rng.uniform(-8, 8)
    cream = Tone(0.88, 0.03, 85)
    return Design(
        body=body,
        second=rng.choice((cream, body.apart(0.22)._replace(hue=other))),
        accent=Tone(rng.uniform(0.35, 0.7), rng.uniform(0.05, 0.1), other),
        frame=rng.choice((Tone(0.65, 0.09, 80), Tone(0.4, 0.06, 60), Tone(0.5, 0.03, 80))),
        glass=(Tone(0.25, 0.03, 120), Tone(0.4, 0.05, rng.choice((85, 120, 160)))),
        pattern=rng.choice(
            (
                "plain",
                "dotted",
                "floral",
                "floral",
                "plaid",
                "damask",
                "herringbone",
                "argyle",
            )
        ),
        period=rng.uniform(0.3, 0.5),
        angle=rng.choice((0.0, 0.0, 45.0)),
        trim=rng.choice(("stitched", "scalloped", "beaded", "seam")),
        emblem=rng.choice(("rosette", "monogram", "crest", "none")),
        outline=rng.choice((0.0, 0.02, 0.03)),
        worn=rng.uniform(0.3, 1.0),
        gloss=rng.uniform(0.0, 0.15),
        surface=surface,
    )


def fashion(rng: random.Random, surface: str) -> Design:
    """Bold contrasts, big graphic patterns, bands and logos, gloss."""
    hue = rng.uniform(0, 360)
    vivid = Tone(rng.uniform(0.5, 0.78), rng.uniform(0.12, 0.22), hue)
    other = Tone(rng.uniform(0.55, 0.85), rng.uniform(0.12, 0.22), hue + rng.uniform(90, 270))
    black, white = Tone(0.2, 0.01, hue), Tone(0.96, 0.01, hue)
    body, second, accent = rng.choice(
        (
            (vivid, other, white),
            (vivid, white, black),
            (black, vivid, white),
            (white, black, vivid),
            (black, white, vivid),
            (vivid, black, other),
        )
    )
    return Design(
        body=body,
        second=second,
        accent=accent,
        frame=rng.choice((Tone(0.85, 0.01, hue), black, other)),
        glass=(vivid._replace(lightness=0.25), other._replace(lightness=0.5)),
        pattern=rng.choice(
            (
                "plain",
                "striped",
                "striped",
                "zigzag",
                "checked",
                "gradient",
                "block",
                "leopard",
                "wave",
            )
        ),
        period=rng.uniform(0.4, 0.8),
        angle=rng.choice((0.0, 30.0, 45.0, 60.0, 90.0, 135.0)),
        trim=rng.choice(("band", "double band", "band", "none")),
        emblem=rng.choice(("star", "bolt", "chevrons", "ring", "none")),
        outline=0.0,
        worn=0.0,
        gloss=rng.uniform(0.3, 0.9),
        surface=surface,
    )


DESIGNS = {"minimalist": minimalist, "vintage": vintage, "fashion": fashion}

SURFACES = {"clothing": "fabric", "electronics": "polished", "home": "glazed"}
"""What a category's things are mostly made of: a name in `patterns.SURFACES`."""

FRAMES = {
    "clothing": (Tone(0.75, 0.09, 85), Tone(0.8, 0.01, 250)),
    "electronics": (Tone(0.25, 0.01, 260), Tone(0.3, 0.02, 260), Tone(0.4, 0.01, 260)),
    "home": (Tone(0.62, 0.08, 65), Tone(0.5, 0.08, 55), Tone(0.7, 0.06, 75)),
}
"""What a category's frames are mostly made of: brass and silver, graphite, wood."""


def design(style: str, category: str, rng: random.Random) -> Design:
    """Draw a design of a style by chance, in the materials of a category."""
    drawn = DESIGNS[style](rng, SURFACES[category])
    return replace(drawn, frame=rng.choice((drawn.frame, *FRAMES[category])))
