"""What changed between two versions of the data, in figures and in words."""

# ruff: noqa: S608 - what the SQL is put together from are this module's constants

import csv
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from vitrine.core.columns import aligned
from vitrine.core.files import atomic_file
from vitrine.core.taxonomy import Head
from vitrine.quality.difference.tables import count
from vitrine.quality.difference.taxonomies import TaxonomyChange

PAGE, MARKDOWN, DOCUMENT, CHANGES = "index.html", "diff.md", "diff.json", "changes.csv"

KINDS = {
    "added": "status = 'added'",
    "removed": "status = 'removed'",
    "renamed": "status = 'renamed'",
    "replaced": "replaced",
    "relabelled": "relabelled",
    "edited": "edited <> ''",
    "duplicates": "repeats IS NOT NULL",
}
"""The kinds of change, and what holds for their rows of the table `changes`."""
MEANINGS = {
    "added": "images under new names, with new bytes",
    "removed": "images that are gone",
    "renamed": "the same bytes under another name",
    "replaced": "other bytes under the same name",
    "relabelled": "another style or category",
    "edited": "another product, title or split",
    "duplicates": "of the added and replaced ones: the same bytes as another image",
}
LABEL_COLUMNS = ("head", "label", "before", "now", "change")
_ALIKE = "status = 'added' AND known"
_BATCH = 1000
_LISTED = 40
_NONE = "?"


@dataclass(frozen=True, slots=True)
class Change:
    """One image that is not as it was; None where that side has no such image or file.

    Attributes:
        status: `added`, `removed`, `renamed` or `kept`.
        image: Its name now, or its last name.
        earlier_image: Its name before.
        md5: Of its bytes now.
        earlier_md5: Of its bytes before.
        style: Now; empty = unknown.
        earlier_style: Before.
        category: Now; empty = unknown.
        earlier_category: Before.
        edited: Which of product, title and split are others, with spaces between.
        repeats: For new bytes, another image that has the same.
    """

    status: str
    image: str
    earlier_image: str | None
    md5: str | None
    earlier_md5: str | None
    style: str | None
    earlier_style: str | None
    category: str | None
    earlier_category: str | None
    edited: str
    repeats: str | None

    @property
    def labels(self) -> str:
        """Style and category, before and now where they differ."""
        sides = [
            f"{style or _NONE} / {category or _NONE}"
            for style, category in (
                (self.earlier_style, self.earlier_category),
                (self.style, self.category),
            )
            if style is not None
        ]
        return " → ".join(dict.fromkeys(sides))

    @property
    def more(self) -> str:
        """What else there is to say; may be empty."""
        said = [f"was {self.earlier_image}"] if self.status == "renamed" else []
        if self.repeats:
            said.append(f"same bytes as {self.repeats}")
        if self.edited:
            said.append(f"another {self.edited.replace(' ', ', ')}")
        return "; ".join(said)


class LabelCount(NamedTuple):
    """How many images had a label before and have it now; the empty label is none."""

    head: Head
    label: str
    before: int
    after: int


class Transition(NamedTuple):
    """How many images went from one label of a head to another."""

    head: Head
    before: str
    after: str
    images: int


class Check(NamedTuple):
    """A figure of `vitrine validate` before and now; None where it is not known."""

    name: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two versions of the data.

    Attributes:
        connection: The database with the table `changes`.
        before: What the earlier side is called.
        after: What the later side is called.
        images: Rows of the manifest before and now.
        counts: Images by kind of change.
        labels: Of both sides, in the order of the taxonomy.
        transitions: From label to label, the most images first.
        taxonomy: What changed in it.
        checks: Figures of `vitrine validate` that differ; empty where a side has none.
        other_files: Files in data/ that no row names and that came, went or changed.
        notes: What a reader must know, a sentence each.
    """

    connection: sqlite3.Connection
    before: str
    after: str
    images: tuple[int, int]
    counts: Mapping[str, int]
    labels: Sequence[LabelCount]
    transitions: Sequence[Transition]
    taxonomy: TaxonomyChange
    checks: Sequence[Check]
    other_files: int
    notes: Sequence[str]

    @property
    def changed(self) -> bool:
        """Whether an image, a row, the taxonomy or another file differs."""
        return bool(any(self.counts.values()) or self.taxonomy or self.other_files)

    @property
    def only_duplicates(self) -> bool:
        """Whether all that differs are new rows with bytes, labels and a split that were there."""
        if not self.counts["added"] or self.taxonomy or self.other_files:
            return False
        return count(self.connection, "changes") == count(
            self.connection, f"changes WHERE {_ALIKE}"
        )

    def found(self, kind: str, limit: int) -> list[Change]:
        """Return the first changes of a kind, by name."""
        columns = ", ".join(Change.__slots__)
        query = f"SELECT {columns} FROM changes WHERE {KINDS[kind]} ORDER BY image LIMIT ?"
        return [Change(*row) for row in self.connection.execute(query, (limit,))]

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        if not self.changed:
            return "Nothing changed in the data."
        if self.only_duplicates:
            return "Only duplicates were added: nothing to learn from."
        return f"The data changed: {self.summary}."

    @property
    def summary(self) -> str:
        """What changed, in a few words; empty where nothing did."""
        parts = [f"{images:,} {kind}" for kind, images in self.counts.items() if images]
        if self.taxonomy:
            parts.append("another taxonomy")
        if self.other_files:
            parts.append(f"{self.other_files:,} other files")
        return ", ".join(parts)

    @property
    def overview(self) -> list[tuple[str, str, str]]:
        """The cells of a table: kind, images, what it means."""
        return [(kind, f"{self.counts[kind]:,}", MEANINGS[kind]) for kind in KINDS]

    def describe(self, folder: Path) -> str:
        """Return the result for a terminal."""
        before, after = self.images
        lines = [
            f"Compared {self.before} ({before:,} images) with {self.after} ({after:,} images).",
            *self.notes,
            *self.taxonomy.sentences,
            "",
            *aligned(self.overview),
        ]
        if changed := self.changed_labels:
            lines += ["", *aligned([LABEL_COLUMNS, *changed[:_LISTED]])]
        if len(changed) > _LISTED:
            lines.append(f"… and {len(changed) - _LISTED:,} more labels")
        if self.checks:
            lines += ["", *aligned([("validate", "before", "now"), *self.check_cells])]
        return "\n".join([*lines, "", self.verdict, f"Report: {folder / PAGE}"])

    @property
    def changed_labels(self) -> list[tuple[str, ...]]:
        """Of `label_cells`, those of labels that more or fewer images have."""
        return [cells for cells in self.label_cells if cells[-1]]

    @property
    def label_cells(self) -> list[tuple[str, ...]]:
        """The cells of a table: head, label, images before and now, difference."""
        return [
            (
                one.head,
                one.label or "(none)",
                f"{one.before:,}",
                f"{one.after:,}",
                f"{one.after - one.before:+,}" if one.after != one.before else "",
            )
            for one in self.labels
        ]

    @property
    def check_cells(self) -> list[tuple[str, ...]]:
        """The cells of a table: check, figure before and now."""
        return [
            (name, *("" if value is None else f"{value:,}" for value in values))
            for name, *values in self.checks
        ]

    def document(self) -> dict[str, Any]:
        """Return every figure for JSON."""
        return {
            "changed": self.changed,
            "only_duplicates": self.only_duplicates,
            "before": {"name": self.before, "images": self.images[0]},
            "after": {"name": self.after, "images": self.images[1]},
            **self.counts,
            "other_files": self.other_files,
            "taxonomy": {"changed": bool(self.taxonomy), **asdict(self.taxonomy)},
            "labels": [one._asdict() for one in self.labels],
            "transitions": [one._asdict() for one in self.transitions],
            "validate": [one._asdict() for one in self.checks],
            "notes": list(self.notes),
        }

    def write_changes(self, path: Path) -> None:
        """Write every row of the table `changes` as CSV, with its column names."""
        rows = self.connection.execute("SELECT * FROM changes ORDER BY image")
        with atomic_file(path) as file, file.open("w", encoding="utf-8", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow([column for column, *_ in rows.description])
            while batch := rows.fetchmany(_BATCH):
                writer.writerows(batch)
