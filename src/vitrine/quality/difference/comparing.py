"""The comparison of two versions of the data."""

# ruff: noqa: S608 - what the SQL is put together from are this module's constants

import sqlite3
from collections.abc import Iterable, Iterator

from vitrine.core.errors import DataError
from vitrine.core.taxonomy import HEADS, Taxonomy
from vitrine.quality.difference.result import (
    KINDS,
    Check,
    Difference,
    LabelCount,
    Transition,
)
from vitrine.quality.difference.sides import Folder, Side
from vitrine.quality.difference.tables import (
    SIDES,
    count,
    find_changes,
    folder_digest,
    load_side,
    other_files,
    same_taxonomy_file,
)
from vitrine.quality.difference.taxonomies import TaxonomyChange, compare_taxonomies


def compare(connection: sqlite3.Connection, before: Side, after: Side) -> Difference:
    """Compare two versions of the data.

    Args:
        connection: A new database, see `vitrine.quality.database.open_database`.
        before: The earlier version.
        after: The later version.

    Raises:
        DataError: A version's list of files or its manifest cannot be read.
    """
    notes = [
        note
        for name, side in zip(SIDES, (before, after), strict=True)
        for note in _load(connection, name, side)
    ]
    find_changes(connection)
    then, now = (_taxonomy(side, notes) for side in (before, after))
    if then and now:
        taxonomy = compare_taxonomies(then, now)
    else:
        taxonomy = TaxonomyChange(unknown=not same_taxonomy_file(connection))
    return Difference(
        connection,
        str(before),
        str(after),
        images=(count(connection, "rows_before"), count(connection, "rows_after")),
        counts={kind: count(connection, f"changes WHERE {where}") for kind, where in KINDS.items()},
        labels=list(_labels(connection, (now, then))),
        transitions=list(_transitions(connection)),
        taxonomy=taxonomy,
        checks=list(_checks(before, after)),
        other_files=other_files(connection),
        notes=notes,
    )


def _load(connection: sqlite3.Connection, name: str, side: Side) -> Iterator[str]:
    """Read a side; yield what a reader must know of it."""
    if again := load_side(connection, name, side):
        yield f"Rows of {side} that name an image of an earlier row, and are left out: {again:,}."
    if missing := count(connection, f"rows_{name} WHERE md5 IS NULL"):
        yield f"Rows of {side} that name an image without a file: {missing:,}."
    if isinstance(side, Folder) and side.pointed() != folder_digest(connection, name):
        yield "The folder is not what data.dvc names: `dvc add data` versions it as it lies."


def _taxonomy(side: Side, notes: list[str]) -> Taxonomy | None:
    """Return a side's taxonomy; a damaged one, which validation will refuse, is a note."""
    try:
        return side.taxonomy()
    except DataError as error:
        notes.append(f"The taxonomies are not compared: {error}.")
        return None


def _labels(
    connection: sqlite3.Connection, taxonomies: Iterable[Taxonomy | None]
) -> Iterator[LabelCount]:
    """Yield how many images each label has; those in the taxonomies first, in their order."""
    for head in HEADS:
        before, after = (
            dict(connection.execute(f"SELECT {head}, count(*) FROM rows_{side} GROUP BY 1"))
            for side in SIDES
        )
        known = [
            name for taxonomy in taxonomies if taxonomy is not None for name in taxonomy.names(head)
        ]
        for label in dict.fromkeys([*known, *sorted(before.keys() | after.keys())]):
            yield LabelCount(head, label, before.get(label, 0), after.get(label, 0))


def _transitions(connection: sqlite3.Connection) -> Iterator[Transition]:
    for head in HEADS:
        found = connection.execute(
            f"SELECT earlier_{head}, {head}, count(*) FROM changes"
            f" WHERE earlier_{head} <> {head} AND status IN ('kept', 'renamed')"
            " GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        )
        yield from (Transition(head, *row) for row in found)


def _checks(before: Side, after: Side) -> Iterator[Check]:
    then, now = before.validation(), after.validation()
    if not (then and now):
        return
    for name in dict.fromkeys([*then, *now]):
        if then.get(name) != now.get(name):
            yield Check(name, then.get(name), now.get(name))
