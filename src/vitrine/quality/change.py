"""What changed since an earlier version of the data, computed by SQL in bounded memory.

Two tables of one SQLite database are compared: `images`, one row an image of today, and
`earlier_images`, one row an image of then (see `earlier_table`). Both have `image`, `md5`, `style`,
`category` (null or empty = unknown) and the facts' columns. The outcome is three more tables:

- `shifts`, one row a feature: `feature`, `kind` (`labels` or `facts`), `psi` (population stability
  index), `psi_limit` (what it may be), `shifted` (1 where it is more, else 0), `shifted_labels` and
  `shifted_facts` (the same, null for the other kind) and `detail`, what moved most, in words.
- `earlier_classes`, one row a class that had images: `head`, `label`, `images_before` and
  `images_now`.
- `replaced`, one row an image whose bytes changed under the same name: `image`, `earlier_md5`,
  `md5`, `earlier_style`, `style`, `earlier_category`, `category` (empty = unknown) and
  `label_stayed` (1 where both heads are as they were, else 0).
"""

# ruff: noqa: S608 - what the SQL is put together from are this module's constants

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vitrine.core.taxonomy import HEADS, Head
from vitrine.quality.stability import Stability, compare

FACTS = {
    "brightness": ("brightness", "brightness"),
    "contrast": ("contrast", "contrast"),
    "sharpness": ("sharpness", "sharpness"),
    "entropy": ("entropy", "entropy"),
    "colourfulness": ("colourfulness", "colourfulness"),
    "background": ("background", "share of background"),
    "aspect_ratio": ("aspect_ratio", "aspect ratio"),
    "pixels": ("width * height", "number of pixels"),
    "bytes": ("bytes", "file size in bytes"),
}
"""The facts that are compared: by feature, the SQL expression and what a person calls it."""

_FEATURES = len(HEADS) + len(FACTS)
_BINS = 10
_BEFORE, _NOW = "earlier_images", "images"
_TABLES = {
    "shifts": "place INTEGER PRIMARY KEY, feature TEXT, kind TEXT, psi REAL, psi_limit REAL,"
    " shifted INTEGER, detail TEXT,"
    " shifted_labels INTEGER AS (CASE kind WHEN 'labels' THEN shifted END) STORED,"
    " shifted_facts INTEGER AS (CASE kind WHEN 'facts' THEN shifted END) STORED",
    "earlier_classes": "place INTEGER PRIMARY KEY, head TEXT, label TEXT, images_before INTEGER,"
    " images_now INTEGER",
    "replaced": "image TEXT PRIMARY KEY, earlier_md5 TEXT, md5 TEXT, earlier_style TEXT,"
    " style TEXT, earlier_category TEXT, category TEXT, label_stayed INTEGER",
}
_SAME_LABELS = " AND ".join(f"coalesce(e.{h}, '') = coalesce(i.{h}, '')" for h in HEADS)


@dataclass(frozen=True, slots=True)
class Changes:
    """How many images changed, and how.

    Attributes:
        before: Images of the earlier version.
        now: Images of today.
        added: Names that are new.
        removed: Names that are gone.
        replaced: Names whose bytes changed.
        relabelled: Names whose style or category changed, replaced or not.
    """

    before: int
    now: int
    added: int
    removed: int
    replaced: int
    relabelled: int


@dataclass(frozen=True, slots=True)
class _Cut:
    """The upper end of a cell: values below `value`, and the value itself where `inclusive`."""

    value: float
    inclusive: bool


def create_change_tables(connection: sqlite3.Connection) -> None:
    """Make the three tables anew, empty: what they are where nothing is compared."""
    for name, columns in _TABLES.items():
        connection.execute(f"DROP TABLE IF EXISTS {name}")
        connection.execute(f"CREATE TABLE {name} ({columns})")


def find_changes(connection: sqlite3.Connection, label_psi: float, fact_psi: float) -> Changes:
    """Compare `images` with `earlier_images` and fill the three tables of the outcome.

    Args:
        connection: The database; SQLite spills what it sorts to the disk.
        label_psi: The smallest stability index of a head's labels that matters.
        fact_psi: The smallest stability index of a fact that matters.
    """
    with connection:
        create_change_tables(connection)
        for head in HEADS:
            if found := _label_shift(connection, head, label_psi):
                _insert_shift(connection, head, "labels", *found)
        for feature in FACTS:
            if found := _fact_shift(connection, feature, fact_psi):
                _insert_shift(connection, feature, "facts", *found)
        _insert_classes(connection)
        _insert_replaced(connection)
    return _count(connection)


def _insert_shift(
    connection: sqlite3.Connection, feature: str, kind: str, found: Stability, detail: str
) -> None:
    shifted = int(found.psi > found.limit)
    row = (feature, kind, found.psi, found.limit, shifted, detail)
    columns = "feature, kind, psi, psi_limit, shifted, detail"
    connection.execute(f"INSERT INTO shifts ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)


def _label_shift(
    connection: sqlite3.Connection, head: Head, threshold: float
) -> tuple[Stability, str] | None:
    """Compare a head's labels, a missing label as one of them."""
    sql = "SELECT coalesce({0}, ''), count(*) FROM {1} GROUP BY 1"
    before, now = (
        dict(connection.execute(sql.format(head, table)).fetchall()) for table in (_BEFORE, _NOW)
    )
    labels = sorted(before.keys() | now.keys())
    then, today = ([side.get(label, 0) for label in labels] for side in (before, now))
    found = compare(then, today, threshold, _FEATURES)
    if found is None:
        return None
    label = labels[found.moved]
    subject = repr(label) if label else f"the share of images without a {head}"
    return found, f"{subject} went {_shares(found)}"


def _fact_shift(
    connection: sqlite3.Connection, feature: str, threshold: float
) -> tuple[Stability, str] | None:
    """Compare a fact in cells that hold about a tenth of the earlier images each."""
    value, words = FACTS[feature]
    deciles = _quantiles(connection, _BEFORE, value, _BINS)
    cuts = list(_cuts(deciles))
    then, today = (_cells(connection, table, value, cuts) for table in (_BEFORE, _NOW))
    found = compare(then, today, threshold, _FEATURES)
    if found is None:
        return None
    was, (is_now,) = deciles[_BINS // 2 - 1], _quantiles(connection, _NOW, value, 2)
    # A median that left the middle of what was says more than the share of one cell.
    if not deciles[2] <= is_now <= deciles[-3] and _number(was) != _number(is_now):
        return found, f"the median {words} went from {_number(was)} to {_number(is_now)}"
    place = _place(found.moved, cuts)
    return found, f"the share of images whose {words} is {place} went {_shares(found)}"


def _quantiles(connection: sqlite3.Connection, table: str, value: str, parts: int) -> list[float]:
    """Return the values that end the first, second … of equal parts; without the last part's."""
    (count,) = connection.execute(f"SELECT count({value}) FROM {table}").fetchone()
    if not count:
        return []
    ranks = [-(-count * part // parts) for part in range(1, parts)]
    ranked = (
        f"SELECT {value} AS value, row_number() OVER (ORDER BY {value}) AS place"
        f" FROM {table} WHERE {value} IS NOT NULL"
    )
    places = ", ".join(str(rank) for rank in set(ranks))
    sql = f"SELECT place, value FROM ({ranked}) WHERE place IN ({places})"
    at = dict(connection.execute(sql).fetchall())
    return [at[rank] for rank in ranks]


def _cuts(deciles: Sequence[float]) -> Iterator[_Cut]:
    """Yield the ends of the cells; a value that ends several parts is a cell of its own.

    Without that cell, a fact that is the same for nearly all images could move away from its value
    unseen.
    """
    for value, times in sorted(Counter(deciles).items()):
        if times > 1:
            yield _Cut(value, inclusive=False)
        yield _Cut(value, inclusive=True)


def _cells(
    connection: sqlite3.Connection, table: str, value: str, cuts: Sequence[_Cut]
) -> list[int]:
    """Count the values between the cuts, in one pass."""
    sums = [f"total({value} {'<=' if cut.inclusive else '<'} ?)" for cut in cuts]
    sql = f"SELECT {', '.join([*sums, f'count({value})'])} FROM {table}"
    totals = connection.execute(sql, [cut.value for cut in cuts]).fetchone()
    ends = [int(total) for total in totals]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _place(cell: int, cuts: Sequence[_Cut]) -> str:
    """Say where a cell lies: `above 212`."""
    if cell == 0:
        return f"{'up to' if cuts[0].inclusive else 'below'} {_number(cuts[0].value)}"
    if cell == len(cuts):
        return f"above {_number(cuts[-1].value)}"
    low, high = cuts[cell - 1].value, cuts[cell].value
    return _number(low) if low == high else f"between {_number(low)} and {_number(high)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _shares(found: Stability) -> str:
    return f"from {100 * found.before:.1f} % to {100 * found.now:.1f} %"


def _insert_classes(connection: sqlite3.Connection) -> None:
    for head in HEADS:
        connection.execute(
            "INSERT INTO earlier_classes (head, label, images_before, images_now)"
            f" SELECT '{head}', e.label, e.images, coalesce(i.images, 0)"
            f" FROM (SELECT {head} AS label, count(*) AS images FROM {_BEFORE} GROUP BY 1) e"
            f" LEFT JOIN (SELECT {head} AS label, count(*) AS images FROM {_NOW} GROUP BY 1) i"
            " ON i.label = e.label WHERE e.label <> '' ORDER BY e.label"
        )


def _insert_replaced(connection: sqlite3.Connection) -> None:
    labels = ", ".join(f"coalesce({table}.{head}, '')" for head in HEADS for table in ("e", "i"))
    connection.execute(
        f"INSERT INTO replaced SELECT i.image, e.md5, i.md5, {labels}, {_SAME_LABELS}"
        f" FROM {_NOW} i JOIN {_BEFORE} e ON e.image = i.image WHERE i.md5 <> e.md5"
        " ORDER BY i.image"
    )


def _count(connection: sqlite3.Connection) -> Changes:
    def one(sql: str) -> Any:
        return connection.execute(f"SELECT count(*) FROM {sql}").fetchone()[0]

    before, now = one(_BEFORE), one(_NOW)
    both = f"{_NOW} i JOIN {_BEFORE} e ON e.image = i.image"
    kept = one(both)
    return Changes(
        before=before,
        now=now,
        added=now - kept,
        removed=before - kept,
        replaced=one("replaced"),
        relabelled=one(f"{both} WHERE NOT ({_SAME_LABELS})"),
    )
