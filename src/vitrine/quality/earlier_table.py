"""The images of an earlier version of the data, as the table `earlier_images` of a database.

Columns: `image` (primary key), `md5`, `style` and `category` (empty = unknown), and the facts in
`MEASURED`, null where they are not known. The table is filled in batches, so memory does not grow
with the number of images.
"""

# ruff: noqa: S608 - what the SQL is put together from are this module's constants

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, TypeVar

from vitrine.core.errors import DataError
from vitrine.core.manifest import Row
from vitrine.core.parallel import map_in_order
from vitrine.core.progress import track
from vitrine.quality.earlier import NotCompared

MEASURED = (
    "width",
    "height",
    "bytes",
    "aspect_ratio",
    "brightness",
    "contrast",
    "sharpness",
    "entropy",
    "colourfulness",
    "background",
)
"""The facts that the table holds; the names of attributes of `Facts` and of columns."""

_AT_ONCE = 512

# What a measured image is to this module: anything with MEASURED and `md5` as attributes.
M = TypeVar("M")
FactsOf = Callable[[Sequence[tuple[str, str]]], Mapping[str, M]]
"""From pairs of an image's path and its MD5 to what is known of the contents, by MD5."""


class Version(Protocol):
    """What is read of an earlier version; `EarlierData` is one."""

    def digests(self) -> Iterator[tuple[str, str]]:
        """Yield every file's path and MD5."""

    def rows(self) -> Iterator[Row]:
        """Yield the manifest's rows."""

    def read(self, digest: str) -> bytes:
        """Return the bytes of the file with this MD5."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An earlier version is in the table.

    Attributes:
        images: How many it has.
        unmeasured: Of how many the facts are not known, since their files could not be had; the
            comparison of facts leaves them out.
    """

    images: int
    unmeasured: int


def create_earlier_table(connection: sqlite3.Connection) -> None:
    """Make the table anew, empty: what it is where nothing is compared."""
    facts = ", ".join(f"{name} REAL" for name in MEASURED)
    connection.execute("DROP TABLE IF EXISTS earlier_images")
    connection.execute(
        "CREATE TABLE earlier_images"
        f" (image TEXT PRIMARY KEY, md5 TEXT, style TEXT, category TEXT, {facts}) WITHOUT ROWID"
    )


def load_earlier(
    connection: sqlite3.Connection, version: Version, facts_of: FactsOf[M]
) -> Loaded | NotCompared:
    """Fill `earlier_images` from an earlier version of the data.

    Facts of contents that the table `images` has too are copied from there, by MD5.

    Args:
        connection: The database with the table `images`.
        version: The earlier version.
        facts_of: Called for the other images, some hundreds at a time; what it leaves out stays
            unknown.

    Returns:
        What was loaded; or, with the table empty, why the version cannot be compared with.
    """
    create_earlier_table(connection)
    try:
        with connection:
            _stage(connection, version)
            _insert(connection)
            unmeasured = _measure(connection, facts_of)
            (images,) = connection.execute("SELECT count(*) FROM earlier_images").fetchone()
    except DataError as error:
        create_earlier_table(connection)
        return NotCompared(str(error))
    finally:
        for name in ("earlier_files", "earlier_rows", "known_facts"):
            connection.execute(f"DROP TABLE IF EXISTS temp.{name}")
    return Loaded(images, unmeasured)


def facts_reader(
    known: Callable[[Sequence[str]], Mapping[str, M]],
    read: Callable[[str], bytes],
    measure: Callable[[bytes, str], M],
    keep: Callable[[Iterable[M]], None],
    workers: int,
) -> FactsOf[M]:
    """Return a function for `load_earlier` that looks facts up, and measures what is not known.

    Args:
        known: From MD5s to the facts of those that were measured before.
        read: From an MD5 to the file's bytes; a `DataError` leaves the image out.
        measure: From the bytes and the image's path to the facts.
        keep: Takes what was measured, for the next time.
        workers: Threads that measure; 0 = one a CPU.
    """

    def one(pair: tuple[str, str]) -> M | None:
        image, digest = pair
        try:
            return measure(read(digest), image)
        except DataError:
            return None

    def facts_of(images: Sequence[tuple[str, str]]) -> dict[str, M]:
        names = {digest: image for image, digest in images}
        found = dict(known(list(names)))
        unknown = [(image, digest) for digest, image in names.items() if digest not in found]
        measured = map_in_order(one, unknown, workers=workers)
        new = {
            digest: facts
            for (_, digest), facts in zip(unknown, measured, strict=True)
            if facts is not None
        }
        keep(new.values())
        return found | new

    return facts_of


def _stage(connection: sqlite3.Connection, version: Version) -> None:
    """Put the version's files and rows, and what is known of contents, into temporary tables."""
    connection.execute(
        "CREATE TEMP TABLE earlier_files (path TEXT PRIMARY KEY, md5 TEXT) WITHOUT ROWID"
    )
    connection.executemany("INSERT INTO earlier_files VALUES (?, ?)", version.digests())
    connection.execute(
        "CREATE TEMP TABLE earlier_rows"
        " (image TEXT PRIMARY KEY, path TEXT, style TEXT, category TEXT) WITHOUT ROWID"
    )
    connection.executemany(
        "INSERT INTO earlier_rows VALUES (?, ?, ?, ?)",
        (
            (row.image, PurePosixPath(row.image).as_posix(), row.style, row.category)
            for row in version.rows()
        ),
    )
    facts = ", ".join(MEASURED)
    connection.execute(
        f"CREATE TEMP TABLE known_facts (md5 TEXT PRIMARY KEY, {facts}) WITHOUT ROWID"
    )
    connection.execute(
        f"INSERT INTO known_facts SELECT md5, {facts} FROM images"
        " WHERE md5 IS NOT NULL GROUP BY md5"
    )


def _insert(connection: sqlite3.Connection) -> None:
    facts = ", ".join(f"k.{name}" for name in MEASURED)
    connection.execute(
        f"INSERT INTO earlier_images SELECT r.image, f.md5, r.style, r.category, {facts}"
        " FROM earlier_rows r LEFT JOIN earlier_files f ON f.path = r.path"
        " LEFT JOIN known_facts k ON k.md5 = f.md5 ORDER BY r.image"
    )


def _measure(connection: sqlite3.Connection, facts_of: FactsOf[M]) -> int:
    """Find the facts that are still unknown; return of how many images they stay so."""
    unknown = (
        "md5 IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM known_facts k WHERE k.md5 = earlier_images.md5)"
    )
    (total,) = connection.execute(f"SELECT count(*) FROM earlier_images WHERE {unknown}").fetchone()
    settings = ", ".join(f"{name} = ?" for name in MEASURED)
    left = 0
    batches = _batches(connection, unknown)
    for batch in track(batches, "Measuring earlier images", -(-total // _AT_ONCE)):
        facts = facts_of(batch)
        connection.executemany(
            f"UPDATE earlier_images SET {settings} WHERE image = ?",
            (
                [*(getattr(facts[digest], name) for name in MEASURED), image]
                for image, digest in batch
                if digest in facts
            ),
        )
        left += sum(digest not in facts for _, digest in batch)
    return left


def _batches(connection: sqlite3.Connection, where: str) -> Iterator[list[tuple[str, str]]]:
    sql = f"SELECT image, md5 FROM earlier_images WHERE image > ? AND {where}"
    last = ""
    while batch := connection.execute(f"{sql} ORDER BY image LIMIT {_AT_ONCE}", [last]).fetchall():
        yield batch
        last = batch[-1][0]
