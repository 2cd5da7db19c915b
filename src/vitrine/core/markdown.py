"""Markdown as GitHub reads it: text that stays text, tables, lists, code and folded parts."""

import re
from collections.abc import Iterable, Sequence
from html import escape

_MARKS = re.compile(r"[\\`*_\[\]~]")
_START = re.compile(r"^(\d{0,9})([#+=.)-])(?=[\s#=-]|$)")
"""What begins a heading, a list or a rule where a line begins with it."""
_LINKS = re.compile(r":(?=//|[\w+-]+:)|www(?=\.)|@|#(?=\d)|\bGH-(?=\d)", re.IGNORECASE)
"""What becomes a link, an emoji, or a mention of a person or an issue even where it is escaped."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Control characters, those that turn the direction of what follows among them."""


def plain(text: str, longest: int | None = None) -> str:
    """Return text on one line in which nothing is Markdown, HTML, a link or a mention.

    Args:
        text: Any text.
        longest: Characters of it that are shown; None = all.
    """
    line = " ".join(text.split())
    if longest is not None and len(line) > longest:
        line = f"{line[:longest]} …"
    line = _MARKS.sub(r"\\\g<0>", escape(_UNPRINTABLE.sub("", line), quote=False))
    # GitHub sets what is between two dollars as a formula, escaped ones too.
    line = _START.sub(r"\1\\\2", line).replace("$", "&dollar;")
    # A space of no width breaks what no escape does: GitHub notifies people for an escaped @ too.
    return _LINKS.sub("\\g<0>\u200b", line)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown; a bar inside a cell is escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def bullets(lines: Iterable[str]) -> str:
    """Return a list with a bullet a line."""
    return "\n".join(f"- {line}" for line in lines)


def fenced(text: str, language: str = "") -> str:
    """Return text as a block of code, which nothing in the text can close.

    Args:
        text: Lines of any text.
        language: What the block is in, for colours or a drawing; empty = nothing known.
    """
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{_UNPRINTABLE.sub('', text)}\n{fence}"


def folded(title: str, body: str) -> str:
    """Return a part that opens when its title is clicked.

    Args:
        title: Text without marks of HTML, which is not escaped.
        body: Markdown.
    """
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
