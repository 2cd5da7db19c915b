"""Whether the data changed in a way that counts: repeated images and the order of rows do not."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from vitrine.core.digests import data_digest
from vitrine.core.errors import DataError
from vitrine.core.layout import DATA, DATA_POINTER, scratch
from vitrine.quality.database import open_database
from vitrine.quality.difference import AtCommit, Difference, Folder, compare, resolve
from vitrine.quality.difference.tables import folder_digest, load_side
from vitrine.quality.earlier import Earlier, version_at
from vitrine.retraining.finding import Finding
from vitrine.retraining.history import History, is_shallow


def judge_data(recorded: str, named: str, history: History) -> Finding:
    """Compare data/, or what data.dvc names where it is not here, with an earlier version.

    Args:
        recorded: The digest in dvc.lock of the version that a stage last ran with.
        named: The digest in data.dvc.
        history: Where data.dvc is looked for that names the earlier version.
    """
    try:
        if recorded == (_folder_digest() if DATA.is_dir() else named):
            return Finding()
        with ExitStack() as stack:
            before = stack.enter_context(AtCommit(_version(recorded, history)))
            after = Folder(DATA) if DATA.is_dir() else stack.enter_context(AtCommit(_committed()))
            return _finding(compare(stack.enter_context(_database()), before, after))
    except DataError as error:
        return Finding(
            (f"{DATA}: another version; what differs cannot be seen",),
            notes=(f"the versions of {DATA} cannot be compared: {error}",),
        )


def count_images() -> int | None:
    """Return the rows of the manifest of data/, or else of what data.dvc names; None = unknown."""
    try:
        if DATA.is_dir():
            return sum(1 for _ in Folder(DATA).rows())
        with AtCommit(_committed()) as version:
            return sum(1 for _ in version.rows())
    except DataError:
        return None


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    room = scratch("affected")
    room.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=room) as folder,
        closing(open_database(Path(folder) / "data.db")) as connection,
    ):
        yield connection


def _folder_digest() -> str:
    # DVC's own way keeps three kilobytes of memory for every file.
    with _database() as connection:
        load_side(connection, "after", Folder(DATA))
        return folder_digest(connection, "after")


def _finding(difference: Difference) -> Finding:
    if not difference.changed:
        return Finding(ignored=(f"{DATA}: only how its rows are ordered or written",))
    if difference.only_duplicates:
        return Finding(ignored=(f"{DATA}: only duplicates were added",))
    return Finding((f"{DATA}: {difference.summary}",))


def _version(recorded: str, history: History) -> Earlier:
    for commit in history.commits(DATA_POINTER.name):
        version = version_at(commit)
        if version is not None and version.digest == recorded:
            return version
    remedy = "; fetch more with `git fetch --unshallow`" if is_shallow() else ""
    raise DataError(f"no commit's {DATA_POINTER} names the version that dvc.lock has{remedy}")


def _committed() -> Earlier:
    """Return HEAD's version, which must be the one that data.dvc names."""
    version = resolve("HEAD")
    if version.digest != data_digest():
        raise DataError(f"{DATA_POINTER} is not committed, and {DATA}/ is not here")
    return version
