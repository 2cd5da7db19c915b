"""What the images of a split have in common: their attributes, from the manifest and the facts."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from vitrine.core.errors import PreparedDataError
from vitrine.core.manifest import read_manifest
from vitrine.core.taxonomy import HEADS, UNKNOWN, Taxonomy
from vitrine.evaluation.answers import Answers

FACTS = ("image", "format", "width", "height", "brightness", "background", "colourfulness")
"""The facts of an image that attributes are made from, in the order of `PixelFacts`."""

SIZES = ((100, "under 100 px"), (300, "100 to 299 px"), (1000, "300 to 999 px"))
LARGE = "1000 px and more"
DARK, BRIGHT = 100.0, 200.0
"""Mean grey levels, 0 to 255: darker than the first is dark, from the second on bright."""
PLAIN = 0.3
"""The share of pixels in the border's colour from which on a background is plain."""
GREY, COLOURFUL = 5.0, 25.0
"""Colourfulness: below the first is grey, from the second on colourful."""
MOST_SOURCES = 20
"""With more folders, folders are a way of storing and say nothing of where images come from."""


@dataclass(frozen=True, slots=True)
class PixelFacts:
    """What `validate` found out about one image; None where it could not."""

    image: str
    format: str | None
    width: int | None
    height: int | None
    brightness: float | None
    background: float | None
    colourfulness: float | None


@dataclass(frozen=True, slots=True)
class Listed:
    """What the manifest says of some images.

    Args:
        products: (n,) numbers from 0, without gaps, equal for views of one product; an image
            without a product has its own.
        titled: (n,) whether the image has a title.
    """

    products: NDArray[np.int64]
    titled: NDArray[np.bool_]


def look_up(manifest: Path, names: Sequence[str]) -> Listed:
    """Look up images in a manifest, which is read as a stream.

    Raises:
        DataError: The manifest is missing or wrong.
        PreparedDataError: One of the images is not in it.
    """
    places = {name: place for place, name in enumerate(names)}
    numbers: dict[str, int] = {}
    products = np.full(len(names), -1)
    titled = np.zeros(len(names), bool)
    for row in read_manifest(manifest):
        place = places.get(row.image)
        if place is not None:
            # After the places of the images, which stand for those that have no product.
            number = len(names) + len(numbers)
            products[place] = numbers.setdefault(row.product, number) if row.product else place
            titled[place] = bool(row.title.strip())
    _refuse_missing(manifest, names, products < 0)
    _, dense = np.unique(products, return_inverse=True)
    return Listed(dense, titled)


def attributes_of(
    answers: Answers, listed: Listed, facts: Iterable[PixelFacts]
) -> dict[str, list[str | None]]:
    """Return, by attribute, a value for each image; None where it is unknown.

    Args:
        answers: Whose names and labels are used.
        listed: What the manifest says of the same images.
        facts: Of these and any other images, in any order; read as a stream.

    Raises:
        PreparedDataError: The facts lack one of the images.
    """
    pixels = _pixel_attributes(answers.names, facts)
    views = np.bincount(listed.products)[listed.products]
    return {
        "labels": _labels(answers),
        **pixels,
        "title": ["present" if there else "missing" for there in listed.titled],
        "views": ["several" if count > 1 else "one" for count in views],
        "source": _sources(answers.names, answers.taxonomy),
    }


def _pixel_attributes(
    names: Sequence[str], facts: Iterable[PixelFacts]
) -> dict[str, list[str | None]]:
    places = {name: place for place, name in enumerate(names)}
    found: dict[str, list[str | None]] = {name: [None] * len(names) for name in _BY_FACTS}
    missing = np.ones(len(names), bool)
    for fact in facts:
        place = places.get(fact.image)
        if place is not None:
            missing[place] = False
            for name, value in _BY_FACTS.items():
                found[name][place] = value(fact)
    _refuse_missing(Path("artifacts/validate"), names, missing)
    return found


def _refuse_missing(where: Path, names: Sequence[str], missing: NDArray[np.bool_]) -> None:
    if missing.any():
        first = names[int(missing.argmax())]
        raise PreparedDataError(
            f"{where} does not know {first} (and {missing.sum() - 1} others), which the prepared "
            "shards hold: bring both up to date with `dvc repro`"
        )


def _labels(answers: Answers) -> list[str | None]:
    names = [answers.taxonomy.names(head) for head in HEADS]
    if not all(head in answers.labels for head in HEADS):
        return [None] * len(answers.names)
    pairs = zip(*(answers.labels[head].tolist() for head in HEADS), strict=True)
    return [
        None if UNKNOWN in pair else " × ".join(of[i] for of, i in zip(names, pair, strict=True))
        for pair in pairs
    ]


def _sources(names: Sequence[str], taxonomy: Taxonomy) -> list[str | None]:
    """Return the folder under images/ that an image lies in, unless it is named like a label."""
    labels = {label for head in HEADS for label in taxonomy.names(head)}
    folders = [parts[1] if len(parts := PurePosixPath(name).parts) > 2 else None for name in names]
    kept = [None if folder in labels else folder for folder in folders]
    return kept if len(set(kept)) <= MOST_SOURCES else [None] * len(kept)


def _size(fact: PixelFacts) -> str | None:
    if fact.width is None or fact.height is None:
        return None
    longer = max(fact.width, fact.height)
    return next((name for limit, name in SIZES if longer < limit), LARGE)


def _brightness(fact: PixelFacts) -> str | None:
    if fact.brightness is None:
        return None
    if fact.brightness < DARK:
        return "dark"
    return "bright" if fact.brightness >= BRIGHT else "medium"


def _background(fact: PixelFacts) -> str | None:
    if fact.background is None:
        return None
    return "plain" if fact.background >= PLAIN else "busy"


def _colour(fact: PixelFacts) -> str | None:
    if fact.colourfulness is None:
        return None
    if fact.colourfulness < GREY:
        return "grey"
    return "colourful" if fact.colourfulness >= COLOURFUL else "muted"


_BY_FACTS: dict[str, Callable[[PixelFacts], str | None]] = {
    "size": _size,
    "brightness": _brightness,
    "background": _background,
    "colour": _colour,
    "format": lambda fact: fact.format,
}
