"""Counting the labels of an import, and deciding which of them stay."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from vitrine.core.manifest import Row
from vitrine.core.taxonomy import HEADS, Head, Label, Taxonomy


class Counts:
    """How many images there are, and how many have which label, by head."""

    def __init__(self) -> None:
        self.images = 0
        self.labels: dict[Head, Counter[str]] = {head: Counter() for head in HEADS}

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """Return the counts of some rows."""
        counts = cls()
        for row in rows:
            counts.add(row)
        return counts

    def add(self, row: Row) -> None:
        """Count one more row."""
        self.images += 1
        for head in HEADS:
            if label := getattr(row, head):
                self.labels[head][label] += 1


@dataclass(frozen=True, slots=True)
class Emptied:
    """Labels that become empty, with their number of images, by head.

    Args:
        unknown: Those that the taxonomy does not list.
        rare: Those of too few images.
    """

    unknown: dict[Head, Counter[str]]
    rare: dict[Head, Counter[str]]

    def rest(self, head: Head, label: str) -> str:
        """Return the label, or empty text when it is one of those."""
        return "" if label in self.unknown[head] or label in self.rare[head] else label


def judge(offered: Counts, before: Counts, given: Taxonomy | None, min_images: int) -> Emptied:
    """Return which of the offered labels cannot stay.

    Args:
        offered: The labels of the new images.
        before: Those of the images that are in the catalogue already; they count as well.
        given: The only labels that are allowed; None = any.
        min_images: How many images a label must have.
    """
    emptied = Emptied({head: Counter() for head in HEADS}, {head: Counter() for head in HEADS})
    for head in HEADS:
        for label, count in offered.labels[head].items():
            if given is not None and not given.knows(head, label):
                emptied.unknown[head][label] = count
            elif count + before.labels[head][label] < min_images:
                emptied.rare[head][label] = count
    return emptied


def derive(offered: Counts, emptied: Emptied) -> Taxonomy:
    """Return a taxonomy of the labels that stay, sorted: the same data gives the same order."""
    names = {
        head: sorted(name for name in offered.labels[head] if emptied.rest(head, name))
        for head in HEADS
    }
    return Taxonomy(
        styles=tuple(Label(name=name) for name in names["style"]),
        categories=tuple(Label(name=name) for name in names["category"]),
    )
