"""The tables that are checked, in one SQLite file, so that no catalogue has to fit into memory.

- `images`, one row a manifest row: `place` (from 0), `line`, the manifest's columns (empty = null),
  the facts, and `found` (whether there is a file), `fault` (why a file cannot be decoded),
  `shorter_side`, `longer_side`, `named_right` (whether the name's ending fits the content; null for
  an ending of no image), `pair` (style + category, null unless both are known), `labels` (both, for
  people), `repeats` (the first image with the same bytes, null for that one), `near` (the first
  image of a group of near-duplicates, null for that one), `near_group` (its place, for all) and
  `earlier_md5` (of the file that had this name in the earlier version, if it was another one);
- `files`, one row a file in images/: `image`, and `listed`, whether a manifest row or a row of the
  quarantine names it;
- `classes`, one row a class of the taxonomy: `head`, `label`, `images`;
- `heads`, one row a head with labelled images: `head`, `images`, `missing` and `missing_share` (how
  many have no label), `largest` and `smallest` (its classes), `most` and `least` (their images) and
  `imbalance` (the ratio of the two).

Every table has a key `place`.
"""

# ruff: noqa: S608 - what the SQL is put together from are this module's constants

import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any

from vitrine.core.errors import DataError
from vitrine.core.manifest import Catalogue, Row, numbered_rows
from vitrine.core.taxonomy import HEADS, Head, Taxonomy
from vitrine.quality.facts import SCHEMA, read_columns
from vitrine.quality.near_duplicates import Edges

_MANIFEST = [column.name for column in fields(Row)]
_LEFT_OUT = ("image", "phash", "mirror_hash", "descriptor")
_FACTS = [name for name in SCHEMA.names if name not in _LEFT_OUT]
_DERIVED = ["found", "fault", "shorter_side", "longer_side", "named_right", "pair", "labels"]
_LATER = ["repeats", "near", "near_group", "earlier_md5"]
_FORMATS = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "jpe": "JPEG",
    "jfif": "JPEG",
    "png": "PNG",
    "webp": "WEBP",
    "gif": "GIF",
    "bmp": "BMP",
    "tif": "TIFF",
    "tiff": "TIFF",
}


def open_database(path: Path) -> sqlite3.Connection:
    """Return a new database that spills to the disk and need not survive a crash."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
    return connection


def load_images(connection: sqlite3.Connection, catalogue: Catalogue, facts: Path) -> int:
    """Make the table `images` from the manifest and the facts that were measured from it.

    Returns:
        How many images there are.

    Raises:
        DataError: The manifest or the facts cannot be read, or do not agree.
    """
    numbered = _with_facts(catalogue.manifest_path, facts)
    rows = (
        (
            place,
            line,
            *(getattr(row, name) or None for name in _MANIFEST),
            *values,
            *_derive(row, dict(zip(_FACTS, values, strict=True))),
        )
        for place, (line, row, values) in enumerate(numbered)
    )
    given = ["place INTEGER PRIMARY KEY", "line", *_MANIFEST, *_FACTS, *_DERIVED]
    with connection:
        connection.execute(f"CREATE TABLE images ({', '.join([*given, *_LATER])})")
        marks = ", ".join(["?"] * len(given) + ["NULL"] * len(_LATER))
        connection.executemany(f"INSERT INTO images VALUES ({marks})", rows)
        for column in ("sha256", "product"):
            connection.execute(f"CREATE INDEX images_{column} ON images ({column})")
        connection.execute(
            "UPDATE images SET repeats = (SELECT first.image FROM images AS first "
            "WHERE first.sha256 = images.sha256 ORDER BY first.place LIMIT 1) "
            "WHERE sha256 IN (SELECT sha256 FROM images GROUP BY sha256 HAVING count(*) > 1)"
        )
        connection.execute("UPDATE images SET repeats = NULL WHERE repeats = image")
    (count,) = connection.execute("SELECT count(*) FROM images").fetchone()
    return int(count)


def _with_facts(manifest: Path, facts: Path) -> Iterator[tuple[int, Row, tuple[Any, ...]]]:
    measured = read_columns(facts, ["image", *_FACTS])
    for numbered, known in zip_longest(numbered_rows(manifest), measured):
        if numbered is None or known is None or numbered[1].image != known[0]:
            raise DataError(
                f"{facts} is of another version of {manifest}: make it with `vitrine validate`"
            )
        yield *numbered, known[1:]


def load_near_duplicates(connection: sqlite3.Connection, edges: Edges) -> None:
    """Note groups of near-duplicates in the table `images`.

    Args:
        connection: The database.
        edges: From the place of a group's first image to those of the others.
    """
    with connection:
        pairs = zip(edges.first.tolist(), edges.second.tolist(), strict=True)
        connection.executemany("UPDATE images SET near_group = ? WHERE place = ?", pairs)
        connection.execute(
            "UPDATE images SET near = (SELECT image FROM images AS first "
            "WHERE first.place = images.near_group) WHERE near_group IS NOT NULL"
        )
        connection.execute(
            "UPDATE images SET near_group = place WHERE place IN "
            "(SELECT DISTINCT near_group FROM images WHERE near_group IS NOT NULL)"
        )
        connection.execute(
            "CREATE INDEX images_near ON images (near_group) WHERE near_group IS NOT NULL"
        )


def load_replaced(connection: sqlite3.Connection) -> None:
    """Note in the table `images` what the table `replaced` of `vitrine.quality.change` has."""
    with connection:
        connection.execute(
            "UPDATE images SET earlier_md5 = (SELECT earlier_md5 FROM replaced "
            "WHERE replaced.image = images.image) WHERE image IN (SELECT image FROM replaced)"
        )


def load_files(connection: sqlite3.Connection, root: Path, quarantined: Iterable[str]) -> None:
    """Make the table `files`.

    Args:
        connection: The database, with the table `images`.
        root: The data folder.
        quarantined: Images that are kept aside on purpose.
    """
    with connection:
        connection.execute(
            "CREATE TABLE files (place INTEGER PRIMARY KEY, image TEXT, listed INTEGER)"
        )
        names = ((name,) for name in _files(root))
        connection.executemany("INSERT INTO files (image) VALUES (?)", names)
        connection.execute("CREATE TEMP TABLE known (image TEXT PRIMARY KEY) WITHOUT ROWID")
        connection.execute("INSERT INTO known SELECT image FROM images")
        aside = ((name,) for name in quarantined)
        connection.executemany("INSERT OR IGNORE INTO known VALUES (?)", aside)
        connection.execute(
            "UPDATE files SET listed = EXISTS (SELECT 1 FROM known WHERE known.image = files.image)"
        )
        connection.execute("DROP TABLE known")


def load_classes(connection: sqlite3.Connection, taxonomy: Taxonomy) -> None:
    """Make the tables `classes` and `heads`."""
    with connection:
        connection.execute("CREATE TABLE classes (place INTEGER PRIMARY KEY, head, label, images)")
        connection.execute(
            "CREATE TABLE heads (place INTEGER PRIMARY KEY, head, images, missing, missing_share, "
            "largest, smallest, most, least, imbalance)"
        )
        for head in HEADS:
            query = f"SELECT {head}, count(*) FROM images GROUP BY {head}"
            counts: dict[str | None, int] = dict(connection.execute(query).fetchall())
            classes = {label: counts.get(label, 0) for label in taxonomy.names(head)}
            connection.executemany(
                "INSERT INTO classes (head, label, images) VALUES (?, ?, ?)",
                [(head, label, images) for label, images in classes.items()],
            )
            if present := {label: images for label, images in classes.items() if images}:
                _insert_head(connection, head, present, sum(counts.values()), counts.get(None, 0))


def _insert_head(
    connection: sqlite3.Connection, head: Head, classes: dict[str, int], images: int, missing: int
) -> None:
    largest, smallest = max(classes, key=classes.__getitem__), min(classes, key=classes.__getitem__)
    most, least = classes[largest], classes[smallest]
    row = (head, images, missing, missing / images, largest, smallest, most, least, most / least)
    connection.execute(f"INSERT INTO heads VALUES (NULL, {', '.join('?' * len(row))})", row)


def _derive(row: Row, facts: dict[str, Any]) -> tuple[Any, ...]:
    """Return the columns `_DERIVED`."""
    sides = [facts[name] for name in ("width", "height") if facts[name] is not None]
    named = _FORMATS.get(PurePosixPath(row.image).suffix.lower().removeprefix("."))
    known = None if facts["format"] is None else facts["format"].replace("MPO", "JPEG")
    return (
        facts["bytes"] is not None,
        facts["reason"] if facts["bytes"] is not None and not facts["readable"] else None,
        min(sides, default=None),
        max(sides, default=None),
        None if named is None or known is None else named == known,
        f"{row.style} + {row.category}" if row.style and row.category else None,
        f"{row.style or '?'} / {row.category or '?'}",
    )


def _files(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root / "images"):
        folders.sort()
        inside = Path(folder).relative_to(root)
        for name in sorted(names):
            path = os.fsencode((inside / name).as_posix())
            yield path.decode(errors="backslashreplace")  # a name may be any bytes
