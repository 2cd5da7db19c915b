"""A difference as Markdown for the description or a comment of a pull request."""

from collections.abc import Iterator, Mapping, Sequence

from vitrine.core.markdown import bullets, folded, plain, table
from vitrine.quality.difference.pictures import sheet_name
from vitrine.quality.difference.result import CHANGES, DOCUMENT, KINDS, LABEL_COLUMNS, Difference

LIMIT = 65_536
"""Characters that GitHub takes in a comment."""
_ROOM = 4_096
"""Characters left free for what a workflow puts around it."""
_ROWS = (50, 20, 8, 2, 0)
_LONGEST = 500
"""Characters of one text that are shown, so that the limit holds whatever the names are."""


def markdown(difference: Difference, notes: Sequence[str], sheets: Mapping[str, int]) -> str:
    """Return the result as Markdown; tables are cut so that GitHub takes it.

    Args:
        difference: What changed.
        notes: What else a reader must know.
        sheets: How many changes of a kind its sheet of pictures, beside the file, shows.
    """
    for rows in _ROWS:
        text = "\n\n".join(_parts(difference, notes, sheets, rows)) + "\n"
        if len(text) <= LIMIT - _ROOM:
            break
    return text


def _parts(
    difference: Difference, notes: Sequence[str], sheets: Mapping[str, int], rows: int
) -> Iterator[str]:
    before, after = difference.images
    yield f"# Data\n\n**{difference.verdict}**"
    said = [
        f"Compared {difference.before} ({before:,} images) with {difference.after} "
        f"({after:,} images).",
        *difference.notes,
        *notes,
        *difference.taxonomy.sentences[: rows + 1],
    ]
    yield bullets(map(_plain, said))
    if not difference.changed:
        return
    yield _table(("change", "images", "what it is"), difference.overview, len(KINDS))
    if changed := difference.changed_labels:
        yield "## Labels"
        yield _table(LABEL_COLUMNS, changed, rows)
    if difference.transitions:
        yield "## Relabelled, from and to"
        cells = [
            (one.head, one.before or "(none)", one.after or "(none)", f"{one.images:,}")
            for one in difference.transitions
        ]
        yield _table(("head", "before", "now", "images"), cells, rows)
    if difference.checks:
        yield "## Checks of `vitrine validate`"
        yield _table(("check", "before", "now"), difference.check_cells, rows)
    for kind in KINDS:
        yield from _kind(difference, kind, rows, sheets.get(kind, 0))
    yield f"All changed images are in `{CHANGES}`, all figures in `{DOCUMENT}`."


def _kind(difference: Difference, kind: str, rows: int, shown: int) -> Iterator[str]:
    total = difference.counts[kind]
    if not total:
        return
    yield f"## {kind.capitalize()}: {total:,}"
    if shown:
        yield f"![Pictures: {kind}, {shown:,} of {total:,}]({sheet_name(kind)})"
    found = [(one.image, one.labels, one.more) for one in difference.found(kind, rows)]
    cells = _table(("image", "style / category", "more"), found, rows, total)
    yield folded("Images", cells)


def _table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], most: int, total: int | None = None
) -> str:
    """Return the first rows as a table, with a line that says how many more there are."""
    total = len(rows) if total is None else total
    text = table(columns, ([*map(_plain, row)] for row in rows[:most]))
    left = total - min(most, len(rows))
    return f"{text}\n\n… and {left:,} more." if left else text


def _plain(text: str) -> str:
    return plain(text, _LONGEST)
