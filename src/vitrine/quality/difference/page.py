"""A difference as one page of HTML that needs nothing else: no network, script or other file."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from string import Template

from vitrine.quality.difference.pictures import THUMBNAIL, Gallery, Shown
from vitrine.quality.difference.result import (
    CHANGES,
    DOCUMENT,
    KINDS,
    MEANINGS,
    Difference,
    LabelCount,
)

LISTED = 50
"""Changes of a kind without pictures that are listed."""
LABELS = 400
"""Labels, and pairs of labels, that are listed."""
_RIGHT = ' class="number"'

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Data changes</title>
<style>
:root { color-scheme: light dark; --line: #8884; --card: #8881; --before: #8a94a0; --now: #3f74c1 }
:root { --warning: #9a5b00; --good: #2e7d32 }
@media (prefers-color-scheme: dark) {
  :root { --warning: #ffb74d; --good: #81c784; --now: #7db0f0 }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin: 2.5rem 0 .25rem } h2 small { font-weight: normal; font-size: 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line) }
tbody th { font-weight: normal; overflow-wrap: break-word }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.bars { width: 40%; min-width: 3rem } .bars div { height: .5rem; min-width: 1px }
.before { background: var(--before) } .now { background: var(--now) }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 0 }
.warning { color: var(--warning) } .good { color: var(--good) }
.scroll { overflow-x: auto }
.gallery { display: grid; gap: .75rem; margin: 1rem 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)) }
.gallery.pairs { grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)) }
.gallery li { background: var(--card); border-radius: .5rem; padding: .75rem; min-width: 0 }
.side { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center }
img, .none { width: ${side}px; height: ${side}px; object-fit: contain; background: #fff;
  border-radius: .25rem; display: block }
.none { display: grid; place-items: center; color: #595959; font-size: .8rem }
.said { margin: .5rem 0 0; font-size: .85rem; line-height: 1.35; overflow-wrap: anywhere }
.said code { font-size: .75rem }
</style>
</head>
<body>
<main>
<h1>Data changes</h1>
<p class="$kind"><strong>$verdict</strong></p>
<ul>
$facts
</ul>
$sections
</main>
</body>
</html>
""")
_KEY = '<p class="key"><span class="before"></span>before &nbsp; <span class="now"></span>now</p>'


def render(difference: Difference, gallery: Gallery) -> str:
    """Return the page: verdict, figures, labels before and now, and pictures of each kind."""
    before, after = difference.images
    facts = [
        f"Compared {difference.before} ({before:,} images) with {difference.after} "
        f"({after:,} images).",
        *difference.notes,
        *gallery.notes,
        *difference.taxonomy.sentences,
    ]
    return _PAGE.substitute(
        side=THUMBNAIL,
        kind="warning" if difference.changed else "good",
        verdict=escape(difference.verdict),
        facts="\n".join(f"<li>{escape(fact)}</li>" for fact in facts),
        sections="\n".join(_sections(difference, gallery)),
    )


def _sections(difference: Difference, gallery: Gallery) -> Iterator[str]:
    columns = ("Change", "Images", "What it is")
    yield _table("Kinds of change", columns, map(_row, difference.overview))
    if labels := difference.labels[:LABELS]:
        yield f"<h2>Labels</h2>\n{_KEY}"
        yield _labels(labels)
        yield _rest(len(difference.labels) - len(labels), DOCUMENT)
    if difference.transitions:
        yield "<h2>Relabelled <small>from and to</small></h2>"
        cells = (
            (f"{one.head}: {one.before or '(none)'} → {one.after or '(none)'}", f"{one.images:,}")
            for one in difference.transitions[:LABELS]
        )
        yield _table("From label to label", ("Labels", "Images"), map(_row, cells))
        yield _rest(len(difference.transitions) - LABELS, DOCUMENT)
    if difference.checks:
        yield "<h2>Checks <small>of <code>vitrine validate</code></small></h2>"
        columns = ("Check", "Before", "Now")
        yield _table("Checks", columns, map(_row, difference.check_cells))
    for kind in KINDS:
        if difference.counts[kind]:
            yield _kind(difference, kind, gallery.kinds.get(kind, []))


def _kind(difference: Difference, kind: str, shown: Sequence[Shown]) -> str:
    total = difference.counts[kind]
    heading = f"<h2>{kind.capitalize()}: {total:,} <small>{MEANINGS[kind]}</small></h2>"
    if shown:
        pairs = " pairs" if any(len(one.pictures) > 1 for one in shown) else ""
        cards = "\n".join(_card(kind, one) for one in shown)
        body, seen = f'<ul class="gallery{pairs}">\n{cards}\n</ul>', len(shown)
    else:
        found = difference.found(kind, LISTED)
        rows = ((one.image, one.labels, one.more) for one in found)
        columns = ("Image", "Style / category", "")
        body, seen = _table(kind, columns, map(_plain_row, rows)), len(found)
    return f"{heading}\n{body}\n{_rest(total - seen, CHANGES)}"


def _rest(left: int, file: str) -> str:
    return f"<p>… and {left:,} more; all are in {file}.</p>" if left > 0 else ""


def _card(kind: str, shown: Shown) -> str:
    change = shown.change
    sides = ("before", "now") if len(shown.pictures) > 1 else (kind,)
    pictures = "".join(
        _picture(picture, f"{name}, {change.labels}, {side}")
        for picture, name, side in zip(shown.pictures, shown.names, sides, strict=True)
    )
    said = "<br>".join(escape(text) for text in (change.labels, change.more) if text)
    return (
        f'<li><div class="side">{pictures}</div>'
        f'<p class="said"><code>{escape(change.image)}</code><br>{said}</p></li>'
    )


def _picture(picture: bytes | None, says: str) -> str:
    if picture is None:
        return '<div class="none">no picture</div>'
    encoded = b64encode(picture).decode()
    return f'<img alt="{escape(says)}" src="data:image/jpeg;base64,{encoded}">'


def _labels(labels: Sequence[LabelCount]) -> str:
    most = max(1, *(max(one.before, one.after) for one in labels))
    rows = []
    for one in labels:
        bars = "".join(
            f'<div class="{side}" style="width: {100 * images / most:.1f}%"></div>'
            for side, images in (("before", one.before), ("now", one.after))
        )
        change = f"{one.after - one.before:+,}" if one.after != one.before else ""
        name = escape(f"{one.head}: {one.label or '(none)'}")
        numbers = "".join(
            f'<td class="number">{text}</td>'
            for text in (f"{one.before:,}", f"{one.after:,}", change)
        )
        rows.append(f'<tr><th scope="row">{name}</th>{numbers}<td class="bars">{bars}</td></tr>')
    return _table("Labels", ("Label", "Before", "Now", "Change", ""), rows)


def _row(cells: Sequence[str]) -> str:
    """Return a row whose cells of digits stand to the right."""
    name, *others = cells
    body = "".join(
        f"<td{_RIGHT if text[:1].isdigit() else ''}>{escape(text)}</td>" for text in others
    )
    return f'<tr><th scope="row">{escape(name)}</th>{body}</tr>'


def _plain_row(cells: Sequence[str]) -> str:
    name, *others = map(escape, cells)
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{text}</td>" for text in others)}</tr>'


def _table(name: str, columns: Iterable[str], rows: Iterable[str]) -> str:
    numbers = ("Images", "Before", "Now", "Change")
    head = "".join(
        f'<th scope="col"{_RIGHT if text in numbers and number else ""}>{text}</th>'
        for number, text in enumerate(columns)
    )
    body = "\n".join(rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{name}"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )
