"""The few forms of Markdown that a model card is made of."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

PLOTS = "plots"
"""The folder of the pictures, beside the card."""
NAMED = 40
"""How many names a list has at most."""


_MARKS = re.compile(r"[\\`*_\[\]<&]")


def plain(name: str) -> str:
    """Return a name so that nothing in it is taken for Markdown."""
    return _MARKS.sub(r"\\\g<0>", " ".join(name.split()))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar inside a cell is escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def bullets(lines: Iterable[str]) -> str:
    """Return a list with a bullet a line."""
    return "\n".join(f"- {line}" for line in lines)


def picture(name: str, text: str, there: Collection[str]) -> Iterator[str]:
    """Yield a picture of the folder with its alternative text, if it is among those there."""
    if name in there:
        yield f"![{text}]({PLOTS}/{name})"


def listing(names: Sequence[str]) -> str:
    """Return names with commas between them, cut where they are very many."""
    shown = ", ".join(map(plain, names[:NAMED]))
    return shown if len(names) <= NAMED else f"{shown} … and {len(names) - NAMED} more"
