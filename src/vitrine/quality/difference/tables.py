"""Two versions of the data side by side in SQLite, so that memory does not grow with them.

Of each side (`before` and `after`) there are `files_<side>`, every file's `path` and `md5`, and
`rows_<side>`, the manifest with the `md5` of each row's file (null = no file). `changes` has one
row for each image that is not as it was:

- `image`, its name now, or its last name; `status`: `added`, `removed`, `renamed` (the same bytes
  under another name) or `kept`;
- `earlier_image`, null for one that is added; `md5`, labels and the rest of both sides;
- `replaced` (other bytes under the same name) and `relabelled`: 0 or 1; `edited`: which of product,
  title and split are others, with spaces between; several of the three may hold;
- `repeats`, for bytes that are new under this name: another image that has the same bytes now;
  `known`, whether one with the same bytes, labels and split was there before.
"""

# ruff: noqa: S608 - what the SQL is put together from are this module's constants

import hashlib
import json
import sqlite3
from collections.abc import Iterator

from vitrine.core.taxonomy import HEADS
from vitrine.quality.difference.sides import Side

SIDES = ("before", "after")
EDITED = ("product", "title", "split")
_TEXTS = (*HEADS, *EDITED)
_ALIKE = (*HEADS, "split")
_TAXONOMY = "taxonomy.yaml"
_OWN_FILES = ("manifest.csv", _TAXONOMY)


def load_side(connection: sqlite3.Connection, name: str, side: Side) -> int:
    """Fill the tables of a side.

    Args:
        connection: The database.
        name: One of `SIDES`.
        side: What to read.

    Returns:
        How many rows name an image that an earlier row names too; they are left out.

    Raises:
        DataError: The side's list of files or its manifest cannot be read.
    """
    with connection:
        _load_files(connection, name, side)
        read = _load_rows(connection, name, side)
    return read - count(connection, f"rows_{name}")


def find_changes(connection: sqlite3.Connection) -> None:
    """Make the table `changes` from those of both sides."""
    with connection:
        _create(connection)
        _match_names(connection)
        _insert_pairs(connection)
        _insert_lone(connection, "removed", "before")
        _insert_lone(connection, "added", "after")
        _find_repeats(connection)


def count(connection: sqlite3.Connection, what: str) -> int:
    """Return how many rows `what`, a table with or without a condition, has."""
    (found,) = connection.execute(f"SELECT count(*) FROM {what}").fetchone()
    return int(found)


def other_files(connection: sqlite3.Connection) -> int:
    """Return how many files that no row names came, went or are others than before."""
    own = ", ".join(f"'{file}'" for file in _OWN_FILES)
    listed = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM rows_{side} r WHERE r.image = path)" for side in SIDES
    )
    differing = (
        "(SELECT path FROM (SELECT path, md5 FROM files_{} EXCEPT SELECT path, md5 FROM files_{}))"
    )
    first, second = (differing.format(*pair) for pair in (SIDES, SIDES[::-1]))
    return count(
        connection,
        f"(SELECT path FROM {first} UNION SELECT path FROM {second})"
        f" WHERE path NOT IN ({own}) AND {listed}",
    )


def same_taxonomy_file(connection: sqlite3.Connection) -> bool:
    """Return whether both sides have the same bytes in their taxonomy.yaml, or neither has one."""
    before, after = (
        connection.execute(f"SELECT md5 FROM files_{side} WHERE path = ?", (_TAXONOMY,)).fetchone()
        for side in SIDES
    )
    return bool(before == after)


def folder_digest(connection: sqlite3.Connection, side: str) -> str:
    """Return what DVC calls a side as a whole: the MD5 of its list of files, and `.dir`."""
    digest = hashlib.md5(b"[", usedforsecurity=False)
    between = ""
    for path, md5 in connection.execute(f"SELECT path, md5 FROM files_{side} ORDER BY path"):
        digest.update((between + json.dumps({"md5": md5, "relpath": path})).encode())
        between = ", "
    digest.update(b"]")
    return f"{digest.hexdigest()}.dir"


def _load_files(connection: sqlite3.Connection, name: str, side: Side) -> None:
    connection.execute(f"CREATE TABLE files_{name} (path TEXT PRIMARY KEY, md5 TEXT) WITHOUT ROWID")
    # A file's name may be any bytes.
    files = (
        (path.encode(errors="backslashreplace").decode(), digest) for path, digest in side.digests()
    )
    connection.executemany(f"INSERT INTO files_{name} VALUES (?, ?)", files)


def _load_rows(connection: sqlite3.Connection, name: str, side: Side) -> int:
    """Return how many rows were read, those that repeat a name included."""
    texts = ", ".join(_TEXTS)
    connection.execute(
        f"CREATE TABLE rows_{name} (image TEXT PRIMARY KEY, {texts}, md5) WITHOUT ROWID"
    )
    read = 0

    def values() -> Iterator[tuple[str, ...]]:
        nonlocal read
        for row in side.rows():
            read += 1
            yield (row.image, *(getattr(row, text) for text in _TEXTS))

    marks = ", ".join("?" * (1 + len(_TEXTS)))
    connection.executemany(
        f"INSERT OR IGNORE INTO rows_{name} VALUES"
        f" ({marks}, (SELECT md5 FROM files_{name} WHERE path = ?1))",
        values(),
    )
    connection.execute(f"CREATE INDEX content_{name} ON rows_{name} (md5)")
    return read


def _create(connection: sqlite3.Connection) -> None:
    both = ", ".join(f"earlier_{text}, {text}" for text in ("image", "md5", *_TEXTS))
    connection.execute(
        f"CREATE TABLE changes (status, {both}, replaced DEFAULT 0, relabelled DEFAULT 0,"
        " edited DEFAULT '', repeats, known DEFAULT 0)"
    )


def _match_names(connection: sqlite3.Connection) -> None:
    """Pair names that are gone with new ones of the same bytes, each at most once."""
    for name, side, other in (("gone", "before", "after"), ("come", "after", "before")):
        connection.execute(
            f"CREATE TEMP TABLE {name} AS SELECT image, md5,"
            " row_number() OVER (PARTITION BY md5 ORDER BY image) AS nth"
            f" FROM rows_{side} r WHERE md5 IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM rows_{other} o WHERE o.image = r.image)"
        )
    connection.execute("CREATE INDEX temp.come_content ON come (md5, nth)")
    connection.execute(
        "CREATE TEMP TABLE renamed AS SELECT gone.image AS earlier, come.image AS image"
        " FROM gone JOIN come ON come.md5 = gone.md5 AND come.nth = gone.nth"
    )
    for column in ("earlier", "image"):
        connection.execute(f"CREATE INDEX temp.renamed_{column} ON renamed ({column})")


def _insert_pairs(connection: sqlite3.Connection) -> None:
    """Add the images that both sides have, where something about them differs."""
    both = ", ".join(f"b.{text}, a.{text}" for text in ("image", "md5", *_TEXTS))
    relabelled, edited = (
        " OR ".join(f"b.{text} <> a.{text}" for text in texts) for texts in (HEADS, EDITED)
    )
    names = " || ".join(f"iif(b.{text} <> a.{text}, ' {text}', '')" for text in EDITED)
    flags = f"b.md5 IS NOT a.md5, {relabelled}, ltrim({names}), NULL, 0"
    connection.execute(
        f"INSERT INTO changes SELECT 'renamed', {both}, {flags} FROM renamed r"
        " JOIN rows_before b ON b.image = r.earlier JOIN rows_after a ON a.image = r.image"
    )
    connection.execute(
        f"INSERT INTO changes SELECT 'kept', {both}, {flags}"
        " FROM rows_before b JOIN rows_after a ON a.image = b.image"
        f" WHERE b.md5 IS NOT a.md5 OR {relabelled} OR {edited}"
    )


def _insert_lone(connection: sqlite3.Connection, status: str, side: str) -> None:
    prefix, key = ("earlier_", "earlier") if side == "before" else ("", "image")
    columns = ", ".join(f"{prefix}{text}" for text in ("image", "md5", *_TEXTS))
    other = "after" if side == "before" else "before"
    connection.execute(
        f"INSERT INTO changes (status, {columns})"
        f" SELECT '{status}', image, md5, {', '.join(_TEXTS)} FROM rows_{side} r"
        f" WHERE NOT EXISTS (SELECT 1 FROM rows_{other} o WHERE o.image = r.image)"
        f" AND NOT EXISTS (SELECT 1 FROM renamed WHERE {key} = r.image)"
    )
    if side == "before":
        connection.execute(f"UPDATE changes SET image = earlier_image WHERE status = '{status}'")


def _find_repeats(connection: sqlite3.Connection) -> None:
    """Note which new bytes another image has: one from before that is still there, else a new one.

    However many images have a content, its image is looked up once, and labels by an index.
    """
    new = "md5 IS NOT NULL AND (status = 'added' OR replaced)"
    connection.execute("CREATE TEMP TABLE new (image PRIMARY KEY, md5) WITHOUT ROWID")
    connection.execute(f"INSERT INTO new SELECT image, md5 FROM changes WHERE {new}")
    connection.execute("CREATE TEMP TABLE firsts (md5 PRIMARY KEY, image) WITHOUT ROWID")
    connection.execute(
        "INSERT INTO firsts"
        " SELECT r.md5, coalesce(min(iif(new.image IS NULL, r.image, NULL)), min(r.image))"
        " FROM rows_after r LEFT JOIN new ON new.image = r.image"
        " WHERE r.md5 IN (SELECT md5 FROM new) GROUP BY r.md5"
    )
    connection.execute(f"CREATE INDEX known ON rows_before (md5, {', '.join(_ALIKE)})")
    labels = " AND ".join(f"r.{text} = changes.{text}" for text in _ALIKE)
    connection.execute(
        "UPDATE changes SET"
        " repeats = (SELECT nullif(f.image, changes.image) FROM firsts f"
        " WHERE f.md5 = changes.md5),"
        f" known = EXISTS (SELECT 1 FROM rows_before r WHERE r.md5 = changes.md5 AND {labels})"
        f" WHERE {new}"
    )
