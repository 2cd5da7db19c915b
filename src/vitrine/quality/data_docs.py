"""Great Expectations' Data Docs without the network: pages that load nothing from outside."""

import re
import shutil
from html import escape
from html.parser import HTMLParser
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from vitrine.core.errors import VitrineError

ASSETS = "assets"
"""The folder of a site that holds what its pages load."""

_LIBRARIES = (
    "css/bootstrap.min.css",
    "jquery.min.js",
    "umd/popper.min.js",
    "js/bootstrap.min.js",
)
_OWN = ("data_docs.css", "data_docs.js")
_PICTURES = ("favicon.ico", "logo-long.png")

# What a script of a later version might fetch is refused by the browser itself.
_POLICY = "default-src 'self' file: data: 'unsafe-inline'"
_LOADING = {"src", "srcset", "href", "xlink:href", "poster", "data", "background", "action"}
_LINKS = {"a", "area"}
_ADDRESS = r"(?:[a-z][a-z0-9+.-]*:)?//"
_EXTERNAL = re.compile(rf"(?:^|[\s,]){_ADDRESS}", re.IGNORECASE)
_CSS_IMPORT = re.compile(rf"@import\s+(?:url\()?\s*[\"']?\s*{_ADDRESS}[^;]*;?", re.IGNORECASE)
_CSS_URL = re.compile(rf"url\(\s*[\"']?\s*{_ADDRESS}[^)]*\)", re.IGNORECASE)


def make_offline(site: Path) -> None:
    """Rewrite Data Docs in place, so that they look and work the same without a network.

    Great Expectations' pages load Bootstrap, jQuery, icons and the logo from ten addresses. Here
    the libraries come from the installed package bootstrap-flask, the logo from the static files
    that were rendered with the site, and a small sheet and script of our own stand in for the rest
    (icons, tables that sort and filter, charts, the dark scheme). All lie once in `site/assets`.
    What else would be loaded from outside is removed; links that people may follow stay.

    Args:
        site: The folder with the rendered site.

    Raises:
        VitrineError: bootstrap-flask is not installed, or does not have the files.
    """
    assets = site / ASSETS
    libraries = [_bootstrap() / name for name in _LIBRARIES]
    pictures = [site / "static" / "images" / name for name in _PICTURES]
    assets.mkdir(exist_ok=True)
    for source in (*libraries, *filter(Path.is_file, pictures)):
        shutil.copyfile(source, assets / source.name)
    for name in _OWN:
        content = resources.files("vitrine.quality").joinpath("static", name).read_bytes()
        (assets / name).write_bytes(content)
    present = {path.name for path in assets.iterdir()}
    static_is_used = False
    for page in site.rglob("*.html"):
        up = "../" * (len(page.relative_to(site).parts) - 1)
        text = offline_page(page.read_text(encoding="utf-8"), f"{up}{ASSETS}/", present)
        page.write_text(text, encoding="utf-8")
        static_is_used |= "static/" in text
    if not static_is_used:
        shutil.rmtree(site / "static", ignore_errors=True)
    for sheet in site.glob("static/**/*.css"):
        sheet.write_text(_offline_css(sheet.read_text(encoding="utf-8")), encoding="utf-8")


def offline_page(text: str, assets: str, present: set[str]) -> str:
    """Return a page that loads only from the folder of assets.

    Args:
        text: The page as Great Expectations rendered it.
        assets: The relative address of the assets as seen from the page, with a slash at the end.
        present: The names of the assets.
    """
    parser = _Page(text, assets, present)
    parser.feed(text)
    parser.close()
    return parser.result()


def _bootstrap() -> Path:
    """Return the folder of Bootstrap 4 in bootstrap-flask, without importing it or Flask."""
    spec = find_spec("flask_bootstrap")
    places = spec.submodule_search_locations if spec else None
    folder = Path(places[0]) / "static" / "bootstrap4" if places else None
    found = "it is not installed"
    if folder is not None:
        missing = [name for name in _LIBRARIES if not (folder / name).is_file()]
        if not missing:
            return folder
        found = f"{folder} has no {missing[0]}"
    raise VitrineError(
        "The Data Docs take Bootstrap and jQuery from the package bootstrap-flask, but "
        f"{found}; install it with: pip install 'vitrine[train]'"
    )


def _is_external(value: str | None) -> bool:
    address = (value or "").strip()
    return not address.lower().startswith("data:") and bool(_EXTERNAL.search(address))


def _offline_css(text: str) -> str:
    return _CSS_URL.sub("none", _CSS_IMPORT.sub("", text))


class _Page(HTMLParser):
    """Collects the places of a page that have to change; all else stays as it is, byte by byte."""

    def __init__(self, text: str, assets: str, present: set[str]) -> None:
        super().__init__(convert_charrefs=False)
        self._text = text
        self._assets = assets
        self._present = present
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._edits: list[tuple[int, int, str]] = []
        self._removing: tuple[str, int] | None = None
        self._in_style = False

    def result(self) -> str:
        """Return the page with all changes."""
        edits = list(self._edits)
        if self._removing:  # and never closed
            edits.append((self._removing[1], len(self._text), ""))
        parts, done = [], 0
        for start, end, replacement in edits:
            parts += [self._text[done:start], replacement]
            done = end
        return "".join([*parts, self._text[done:]])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remove or mend an element that loads from outside; footers only advertise."""
        if self._removing:
            return
        values = dict(attrs)
        start = self._here()
        end = start + len(self.get_starttag_text() or "")
        self._in_style = tag == "style"
        if tag == "footer" or (tag == "script" and _is_external(values.get("src"))):
            self._removing = (tag, start)
        elif tag == "link" and (_is_external(values.get("href")) or _is_icon(values)):
            self._edits.append((start, end, ""))
        elif tag == "img" and _is_external(values.get("src")):
            self._edits.append((start, end, self._picture(values)))
        elif tag == "head":
            self._edits.append((end, end, self._first()))
        else:
            kept = [kept for pair in attrs if (kept := _mended(tag, *pair))]
            if kept != attrs:
                self._edits.append((start, end, _tag(tag, kept)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Treat `<tag/>` as browsers do: the slash of a footer or a script means nothing."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """End what is removed, and add what is loaded at the end of the head."""
        start = self._here()
        if self._removing and self._removing[0] == tag:
            end = self._text.index(">", start) + 1
            self._edits.append((self._removing[1], end, ""))
            self._removing = None
        elif tag == "head":
            self._edits.append((start, start, self._last()))
        elif tag == "style":
            self._in_style = False

    def handle_data(self, data: str) -> None:
        """Remove addresses from the style sheets inside the page."""
        if self._in_style and (css := _offline_css(data)) != data:
            start = self._here()
            self._edits.append((start, start + len(data), css))

    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def _picture(self, values: dict[str, str | None]) -> str:
        """Return the same picture from the assets, or its words where it is not there."""
        name = (values["src"] or "").split("?")[0].rpartition("/")[2]
        if name not in self._present:
            return escape(values.get("alt") or "")
        return _tag("img", [*(values | {"src": self._assets + name}).items()])

    def _first(self) -> str:
        """Return what comes before the sheets of the page, which change Bootstrap's."""
        policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        return f'{policy}\n<link rel="stylesheet" href="{self._assets}bootstrap.min.css">'

    def _last(self) -> str:
        """Return what comes after the sheets of the page and before its scripts."""
        names = [Path(name).name for name in (*_LIBRARIES, *_OWN) if name.endswith(".js")]
        lines = [f'<link rel="stylesheet" href="{self._assets}data_docs.css">']
        lines += [f'<script src="{self._assets}{name}"></script>' for name in names]
        if "favicon.ico" in self._present:
            lines.append(f'<link rel="icon" href="{self._assets}favicon.ico">')
        return "\n".join([*lines, ""])


def _is_icon(values: dict[str, str | None]) -> bool:
    return "icon" in (values.get("rel") or "").lower().split()


def _mended(tag: str, name: str, value: str | None) -> tuple[str, str | None] | None:
    """Return an attribute without outside addresses, or None where nothing of it may stay."""
    if name == "style" and value:
        return name, _offline_css(value)
    if name in _LOADING and tag not in _LINKS and _is_external(value):
        return None
    return name, value


def _tag(name: str, attrs: list[tuple[str, str | None]]) -> str:
    words = [key if value is None else f'{key}="{escape(value)}"' for key, value in attrs]
    return f"<{' '.join([name, *words])}>"
