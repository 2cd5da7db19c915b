"""What a source of images offers to the import, one candidate at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vitrine.core.manifest import SPLITS, Row
from vitrine.core.taxonomy import Taxonomy

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL"})
"""What tables write where a value is not known."""

_SPLIT_NAMES = {name: name for name in SPLITS} | {
    "training": "train",
    "validation": "val",
    "valid": "val",
    "dev": "val",
    "testing": "test",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One image with what its source knows of it. Empty text means unknown.

    Args:
        origin: Where it comes from, as a person would look it up: `styles.csv line 12`.
        name: Where it would like to lie under images/; made safe and unique by the import.
        picture: The file, or what makes the bytes.
        note: Something about its row that the user should hear of; empty = nothing.
    """

    origin: str
    name: str
    picture: Path | Callable[[], bytes]
    style: str = ""
    category: str = ""
    product: str = ""
    title: str = ""
    split: str = ""
    note: str = ""

    def row(self, image: str) -> Row:
        """Return its row of the manifest, once it lies at `image`."""
        return Row(image, self.style, self.category, self.product, self.title, self.split)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to tell the user about one row or file, such as why it is left out."""

    origin: str
    reason: str


class Source(Protocol):
    """A collection of images outside data/; may be gone through more than once.

    Going through it yields a `Candidate` for an image and a `Remark` for what cannot be one.
    """

    title: str
    root: Path

    def __iter__(self) -> Iterator[Candidate | Remark]:
        """Yield what the source holds, always in the same order, without reading the images."""
        ...

    def taxonomy(self) -> Taxonomy | None:
        """Return the labels in their official order; None = whatever labels turn up, sorted."""
        ...


def known(text: str) -> str:
    """Return a value of a table without needless spaces; the words for "not known" become empty."""
    text = " ".join(text.split())
    return "" if text in MISSING else text


def split_name(text: str) -> str | None:
    """Return train, val, test or empty for one of the usual names; None for any other."""
    text = known(text)
    return _SPLIT_NAMES.get(text.lower()) if text else ""
