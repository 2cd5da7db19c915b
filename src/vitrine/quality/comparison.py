"""The comparison of a catalogue with the version of its data that was committed before."""

import sqlite3

from vitrine.core.params import ImageParams, ValidateParams
from vitrine.quality.change import Changes, create_change_tables, find_changes
from vitrine.quality.database import load_replaced
from vitrine.quality.earlier import Earlier, NotCompared, find_earlier
from vitrine.quality.earlier_data import EarlierData
from vitrine.quality.earlier_table import Loaded, facts_reader, load_earlier
from vitrine.quality.facts import Facts
from vitrine.quality.measuring import measure_bytes
from vitrine.quality.store import FactStore


def compare_with_earlier(
    connection: sqlite3.Connection, section: ValidateParams, image: ImageParams, store: FactStore
) -> str:
    """Fill the tables that the suite `change` is run on; leave them empty without another version.

    Args:
        connection: The database with the table `images`.
        section: What to compare with, and how much may change.
        image: The limits on bytes and pixels.
        store: The facts of files seen before.

    Returns:
        What was compared and how much changed, or why nothing was, as a sentence.

    Raises:
        DataError: `compare_with` names no version of the data.
    """
    create_change_tables(connection)
    version = find_earlier(section.change.compare_with)
    if isinstance(version, NotCompared):
        return _why_not(version)
    loaded = _load(connection, version, section, image, store)
    if isinstance(loaded, NotCompared):
        return _why_not(loaded)
    change = section.change
    changes = find_changes(connection, change.max_label_psi, change.max_fact_psi)
    load_replaced(connection)
    return _describe(version, loaded, changes)


def _why_not(nothing: NotCompared) -> str:
    return f"Not compared with an earlier version of the data: {nothing.reason}."


def _load(
    connection: sqlite3.Connection,
    version: Earlier,
    section: ValidateParams,
    image: ImageParams,
    store: FactStore,
) -> Loaded | NotCompared:
    def measure(data: bytes, name: str) -> Facts:
        return measure_bytes(data, image, name)

    with EarlierData(version) as data:
        facts_of = facts_reader(store.of_contents, data.read, measure, store.add, section.workers)
        return load_earlier(connection, data, facts_of)


def _describe(version: Earlier, loaded: Loaded, changes: Changes) -> str:
    counts = {
        "added": changes.added,
        "removed": changes.removed,
        "replaced": changes.replaced,
        "relabelled": changes.relabelled,
    }
    changed = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    unknown = (
        f" The pictures of {loaded.unmeasured:,} of its images could not be had: their facts are "
        "not compared."
        if loaded.unmeasured
        else ""
    )
    return (
        f"Compared with {version} ({changes.before:,} images then, {changes.now:,} now): "
        f"{changed or 'the same images and labels'}.{unknown}"
    )
