"""Pictures: what a person would not put into a catalogue. The suite `quality`."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from vitrine.core.params import QualityParams
from vitrine.quality.checks import Check


@dataclass(frozen=True, slots=True)
class Typical:
    """What is usual in a catalogue.

    Attributes:
        side: The median of the longer sides, in pixels.
        grey_share: The share of the readable images that are grey.
    """

    side: float
    grey_share: float

    @classmethod
    def of(cls, connection: sqlite3.Connection, section: QualityParams) -> "Typical":
        """Return what is usual in the table `images`."""
        (readable, grey) = connection.execute(
            "SELECT count(*), sum(colourfulness < ?) FROM images WHERE readable",
            (section.min_colourfulness,),
        ).fetchone()
        middle = connection.execute(
            "SELECT longer_side FROM images WHERE readable ORDER BY longer_side LIMIT 1 OFFSET ?",
            (readable // 2,),
        ).fetchone()
        return cls(middle[0] if middle else 0, (grey or 0) / max(readable, 1))


def looks_checks(section: QualityParams, typical: Typical) -> Iterator[Check]:
    """Yield the checks of the suite `quality`."""
    check = partial(Check, suite="quality", severity="warning", table="images", rule="between")
    mostly = {"mostly": 1 - section.tolerated_share}
    yield check(
        name="too_dark",
        title=f"the brighter pixels reach a grey level of {section.min_brightest:g}",
        column="brightest",
        limits={"min_value": section.min_brightest, **mostly},
        reason="the image is too dark: 99 % of its pixels are at or below a grey level of "
        "{brightest:.0f} (of 255); brighten or replace it",
    )
    yield check(
        name="too_bright",
        title=f"the darker pixels reach down to a grey level of {section.max_darkest:g}",
        column="darkest",
        limits={"max_value": section.max_darkest, **mostly},
        reason="the image is too bright: 99 % of its pixels are at or above a grey level of "
        "{darkest:.0f} (of 255); replace it",
    )
    yield check(
        name="blurry",
        title=f"the sharpness is at least {section.min_sharpness:g}",
        column="sharpness",
        limits={"min_value": section.min_sharpness, **mostly},
        reason="the image is blurry: its sharpness is {sharpness:.2f}; replace it",
    )
    yield check(
        name="low_information",
        title=f"the grey levels deviate by at least {section.min_contrast:g}",
        column="contrast",
        limits={"min_value": section.min_contrast, **mostly},
        reason="hardly anything is to be seen: the grey levels deviate by {contrast:.1f} only; "
        "replace the image or remove the row",
    )
    ratio = section.max_size_ratio
    yield check(
        name="odd_size",
        title=f"the longer side is within {ratio:g} times the usual {typical.side:g} pixels",
        column="longer_side",
        limits={"min_value": typical.side / ratio, "max_value": typical.side * ratio, **mostly},
        reason="the image has {width} x {height} pixels, unlike the others "
        f"(usually {typical.side:g}); replace or resize it",
    )
    yield check(
        name="odd_aspect",
        title=f"no side is more than {section.max_aspect_ratio:g} times the other",
        column="aspect_ratio",
        limits={"max_value": section.max_aspect_ratio, **mostly},
        reason="the image has {width} x {height} pixels, a side {aspect_ratio:.1f} times the "
        "other; crop it",
    )
    if typical.grey_share <= section.max_grey_share:
        yield check(
            name="greyscale",
            title=f"the colourfulness is at least {section.min_colourfulness:g}",
            column="colourfulness",
            limits={"min_value": section.min_colourfulness, **mostly},
            reason="the image has no colour, while colour is the rule here; replace it, unless "
            "what it shows is grey",
        )
    yield check(
        name="repeated_pattern",
        title="no background repeats a faint pattern, as watermarks do",
        column="repetition",
        limits={"max_value": section.max_repetition, **mostly},
        reason="a faint pattern repeats all over the background (strength {repetition:.2f} of 1), "
        "perhaps a watermark; replace the image",
    )
