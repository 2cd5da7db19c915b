"""The few forms of Markdown that a model card is made of."""

from collections.abc import Collection, Iterator, Sequence

from vitrine.core.markdown import plain

PLOTS = "plots"
"""The folder of the pictures, beside the card."""
NAMED = 40
"""How many names a list has at most."""


def picture(name: str, text: str, there: Collection[str]) -> Iterator[str]:
    """Yield a picture of the folder with its alternative text, if it is among those there."""
    if name in there:
        yield f"![{text}]({PLOTS}/{name})"


def listing(names: Sequence[str]) -> str:
    """Return names with commas between them, cut where they are very many."""
    shown = ", ".join(map(plain, names[:NAMED]))
    return shown if len(names) <= NAMED else f"{shown} … and {len(names) - NAMED} more"
