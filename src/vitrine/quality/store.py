"""Facts of files seen before, so that only what is new is read and decoded.

A content is known by its MD5, as DVC knows it. A file that has kept its size, its times and its
inode since it was read is not read again, as with git and DVC. The store may be deleted at any
time.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vitrine.core.digests import json_digest
from vitrine.core.params import ImageParams
from vitrine.quality.facts import SCHEMA, Facts

VERSION = 2
"""Of what is measured: a change of the meaning of a fact needs another number."""
_COLUMNS = SCHEMA.names[1:]
"""Of a content: all facts but the image's name."""
_HASHES = [_COLUMNS.index(name) for name in ("phash", "mirror_hash")]
_READABLE = _COLUMNS.index("readable")
_MD5 = _COLUMNS.index("md5")
_AT_ONCE = 512
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SETTLED = 2 * 10**9
"""Nanoseconds after its last change from which a file's times tell of the next one."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What the file system says of a file: it changes when the content does.

    Attributes:
        path: Of the file, as the manifest has it.
        size: Bytes.
        modified: Nanoseconds.
        changed: Nanoseconds, of the inode; cannot be set by a program that copies times.
        inode: Its number.
    """

    path: str
    size: int
    modified: int
    changed: int
    inode: int


class FactStore:
    """Facts by content, and the contents of files by their signature, in one SQLite file.

    May be used from several threads. A damaged store is thrown away.

    Args:
        path: The file; made when it is not there.
        image: The limits and the background that the facts depend on; facts made under others are
            thrown away.
    """

    def __init__(self, path: Path, image: ImageParams) -> None:
        limits = image.model_dump(include={"background", "max_bytes", "max_pixels"}, mode="json")
        settings = json_digest([VERSION, SCHEMA.names, limits])
        path.parent.mkdir(parents=True, exist_ok=True)
        self._made = (path, settings)
        try:
            self._database = _open(path, settings)
        except sqlite3.DatabaseError:
            self._database = _open_anew(path, settings)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def contents_of_files(self, signatures: Sequence[Signature]) -> dict[str, str]:
        """Return the MD5 by path of those files that have not changed since they were read."""
        known = {s.path: s for s in signatures}
        columns = ["path", "size", "modified", "changed", "inode", "md5"]
        found = self._select(columns, "files", "path", list(known))
        return {row[0]: row[-1] for row in found if Signature(*row[:-1]) == known[row[0]]}

    def of_contents(self, md5s: Sequence[str]) -> dict[str, Facts]:
        """Return the facts by MD5 of those contents that are known; their `image` is empty."""
        return {row[_MD5]: Facts("", *row) for row in self._contents(md5s)}

    def of_files(self, contents: Mapping[str, str]) -> dict[str, Facts]:
        """Return the facts by path of those files, given with their MD5, that are known."""
        known = {row[_MD5]: row for row in self._contents(list(set(contents.values())))}
        return {path: Facts(path, *known[md5]) for path, md5 in contents.items() if md5 in known}

    def _contents(self, md5s: Sequence[str]) -> Iterator[list[Any]]:
        for found in self._select(_COLUMNS, "contents", "md5", md5s):
            row = list(found)
            row[_READABLE] = bool(row[_READABLE])
            for place in _HASHES:
                if row[place] is not None:
                    row[place] %= 2**64
            yield row

    def add(self, facts: Iterable[Facts], signatures: Iterable[Signature] = ()) -> None:
        """Keep facts by their content, and which content a file has, where it has settled."""
        facts = [one for one in facts if one.md5 is not None]
        content = {one.image: one.md5 for one in facts}
        settled = time.time_ns() - _SETTLED
        files = [
            (s.path, s.size, s.modified, s.changed, s.inode, content[s.path])
            for s in signatures
            if s.path in content and max(s.modified, s.changed) < settled
        ]
        marks = ", ".join("?" * len(_COLUMNS))
        with self._using() as database, database:
            database.executemany(
                f"INSERT OR IGNORE INTO contents VALUES ({marks})",  # noqa: S608
                [_values(one) for one in facts],
            )
            database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", files)

    def _select(
        self, columns: Sequence[str], table: str, key: str, values: Sequence[str]
    ) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(values), _AT_ONCE):
            some = values[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT {', '.join(columns)} FROM {table} WHERE {key} IN ({marks})"  # noqa: S608
            rows: list[tuple[Any, ...]] = []
            with self._using() as database:
                rows = database.execute(query, list(some)).fetchall()
            yield from rows

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """Lend the database to one thread; end the block where it turns out to be damaged."""
        with self._lock:
            try:
                yield self._database
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE:
                    raise
                self._database.close()
                self._database = _open_anew(*self._made)


def _open_anew(path: Path, settings: str) -> sqlite3.Connection:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    return _open(path, settings)


def _open(path: Path, settings: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=60, check_same_thread=False)
    try:
        # What the machine's failure may cost is measured again.
        database.executescript("PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF;")
        with database:
            database.execute("CREATE TABLE IF NOT EXISTS made_with (settings TEXT)")
            if database.execute("SELECT settings FROM made_with").fetchall() != [(settings,)]:
                for table in ("contents", "files", "made_with"):
                    database.execute(f"DROP TABLE IF EXISTS {table}")
                columns = ", ".join(_COLUMNS)
                database.execute(
                    f"CREATE TABLE contents ({columns}, PRIMARY KEY (md5)) WITHOUT ROWID"
                )
                database.execute(
                    "CREATE TABLE files (path TEXT PRIMARY KEY, size, modified, changed, inode, "
                    "md5) WITHOUT ROWID"
                )
                database.execute("CREATE TABLE made_with (settings TEXT)")
                database.execute("INSERT INTO made_with VALUES (?)", (settings,))
    except BaseException:
        database.close()
        raise
    return database


def _values(facts: Facts) -> list[Any]:
    values = [getattr(facts, name) for name in _COLUMNS]
    for place in _HASHES:
        if values[place] is not None and values[place] >= 2**63:
            values[place] -= 2**64  # SQLite's integers have a sign
    return values
