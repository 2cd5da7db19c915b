"""The model card as one page of HTML that needs nothing else: no network, no script, no file."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import resources
from itertools import pairwise
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from markdown_it.token import Token

from vitrine.evaluation.markdown import PLOTS

PICTURE = re.compile(rf"{PLOTS}/[\w-]+\.png")
"""The addresses of a card's own pictures; of another one only the text is shown."""

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style</style>
</head>
<body>
<main>
<nav aria-label="Sections"><ul>
$links
</ul></nav>
$body</main>
</body>
</html>
""")


def card_page(markdown: str, folder: Path) -> str:
    """Return a model card as a page with its pictures inside.

    Args:
        markdown: The card; HTML in it is shown as text.
        folder: Where the folder of its pictures lies.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(markdown)
    for token in tokens:
        for part in token.children or ():
            if part.type == "image":
                _embed(part, folder)
    titles = _name_headings(tokens)
    links = (f'<li><a href="#{name}">{escape(text)}</a></li>' for name, text in titles[1:])
    return _PAGE.substitute(
        title=escape(titles[0][1]),
        style=resources.files("vitrine.evaluation").joinpath("static", "card.css").read_text(),
        links="\n".join(links),
        body=reader.renderer.render(list(_framed(tokens)), reader.options, {}),
    )


def _embed(picture: Token, folder: Path) -> None:
    source = str(picture.attrs["src"])
    if PICTURE.fullmatch(source):
        encoded = b64encode((folder / source).read_bytes()).decode()
        picture.attrs["src"] = f"data:image/png;base64,{encoded}"
    else:
        picture.type = "text"


def _name_headings(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Give each heading a name to link to; return the names with the texts."""
    titles: list[tuple[str, str]] = []
    for token, text in pairwise(tokens):
        if token.type == "heading_open":
            name = f"section-{len(titles)}"
            token.attrs["id"] = name
            titles.append((name, text.content))
    return titles


def _framed(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield the tokens, each table within a frame that scrolls, named by the heading above it."""
    heading = ""
    for token in tokens:
        if token.type == "heading_open":
            heading = str(token.attrs["id"])
        elif token.type == "th_open":
            token.attrs["scope"] = "col"
        elif token.type == "table_open":
            start = f'<div class="table" role="region" tabindex="0" aria-labelledby="{heading}">'
            yield Token("html_block", "", 0, content=f"{start}\n")
        yield token
        if token.type == "table_close":
            yield Token("html_block", "", 0, content="</div>\n")
