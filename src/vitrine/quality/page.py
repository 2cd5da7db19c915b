"""The report as one page of HTML that needs nothing else: no network, no script, no other file."""

from base64 import b64encode
from collections.abc import Iterable
from html import escape
from io import BytesIO
from pathlib import Path
from string import Template

from PIL import Image

from vitrine import imaging
from vitrine.core.errors import ImageError
from vitrine.core.params import ImageParams
from vitrine.core.taxonomy import HEADS, Head
from vitrine.quality.checks import FINDINGS
from vitrine.quality.expectations import Outcome
from vitrine.quality.report import DOCS, Finding, Report

PICTURES = 24
"""Rows of a check that are shown; all of them are in the CSV beside the page."""
GROUPS = 12
"""Groups of images that are shown side by side."""
MEMBERS = 6
"""Images of a group that are shown."""
THUMBNAIL = 128
"""The longer side of a picture, in pixels."""

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; --line: #8884; --card: #8881 }
:root { --error: #c62828; --warning: #9a5b00; --good: #2e7d32 }
@media (prefers-color-scheme: dark) {
  :root { --error: #ff8a80; --warning: #ffb74d; --good: #81c784 }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin: 2.5rem 0 .25rem } h2 small { font-weight: normal; font-size: 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line) }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td.bar { width: 60% } td.bar div { background: #5c86c4; height: .8rem; min-width: 1px }
.error, .failed.error { color: var(--error) } .warning { color: var(--warning) }
.passed { color: var(--good) }
.scroll { overflow-x: auto }
.gallery { display: grid; gap: .75rem; margin: 1rem 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)) }
.gallery > li { background: var(--card); border-radius: .5rem; padding: .75rem; min-width: 0 }
.gallery.groups { grid-template-columns: repeat(auto-fill, minmax(21rem, 1fr)) }
.side { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: .5rem }
figure { margin: 0; width: ${side}px } .gallery > li > figure { width: auto }
img, .none { width: ${side}px; height: ${side}px; object-fit: contain; background: #fff;
  border-radius: .25rem; display: block }
.none { display: grid; place-items: center; color: #666; font-size: .8rem }
figcaption, .why { font-size: .85rem; line-height: 1.35; overflow-wrap: anywhere }
figcaption { margin-top: .25rem } figcaption code { font-size: .75rem } .why { margin: .5rem 0 0 }
</style>
</head>
<body>
<h1>$title</h1>
<p><strong class="$class_">$verdict.</strong> $advice</p>
$notes
$sections
<p>Every row found: <a href="$findings">$findings</a>. The same results as Great Expectations shows
them: <a href="$docs/index.html">Data Docs</a>.</p>
</body>
</html>
""")
_ADVICE = {
    "error": "An error stops the pipeline: correct these rows, or set them aside with "
    "<code>vitrine quarantine</code>; then run it again.",
    "warning": "A warning does not stop the pipeline, but it is worth a look.",
    "passed": "The pipeline can go on.",
}


def render(report: Report, root: Path, image: ImageParams, title: str) -> str:
    """Return the page: verdict, all checks, the rows found with pictures, and the classes.

    Args:
        report: What was found.
        root: The data folder, for the pictures.
        image: The limits on bytes and pixels.
        title: Of the page.
    """
    worst = next((kind for kind in ("error", "warning") if report.failed(kind)), "passed")
    sections = [
        _overview(report.outcomes),
        *(_section(report, outcome, root, image) for outcome in report.by_weight),
        *(_classes(report, head) for head in HEADS),
    ]
    return _PAGE.substitute(
        side=THUMBNAIL,
        title=escape(title),
        class_=worst,
        verdict=escape(report.verdict()),
        advice=_ADVICE[worst],
        notes="".join(f"<p>{escape(note)}</p>" for note in report.notes),
        sections="\n".join(sections),
        findings=FINDINGS,
        docs=DOCS,
    )


def _overview(outcomes: list[Outcome]) -> str:
    rows = []
    for outcome in outcomes:
        check = outcome.check
        title = escape(check.title)
        if outcome.broken:
            title = f'<a href="#{check.name}">{title}</a>'
        result = "passed" if outcome.passed else "failed"
        kind = "passed" if outcome.passed else check.severity
        rows.append(
            f"<tr><td>{title}</td><td><code>{check.name}</code></td><td>{check.suite}</td>"
            f'<td>{check.severity}</td><td class="{kind}">{result}</td>'
            f'<td class="number">{outcome.found_in()}</td></tr>'
        )
    headers = ("What should hold", "Check", "Suite", "Severity", "Result", "Fault found in")
    return _table(headers, rows)


def _section(report: Report, outcome: Outcome, root: Path, image: ImageParams) -> str:
    check = outcome.check
    heading = (
        f'<h2 id="{check.name}" class="{outcome.weight}">{escape(check.title)} '
        f"<small>({check.name}, {outcome.weight})</small></h2>"
    )
    summary = f"<p>Fault found in {outcome.found_in()}.</p>"
    if check.group:
        shown, cards = _groups(report, outcome, root, image)
    else:
        found = list(report.findings(outcome, PICTURES))
        shown, cards = len(found), [_card(finding, root, image) for finding in found]
    more = outcome.broken - shown
    rest = f'<p>… and {more:,} more in <a href="{FINDINGS}">{FINDINGS}</a>.</p>' if more > 0 else ""
    kind = "gallery groups" if check.group else "gallery"
    items = "\n".join(f"<li>{card}</li>" for card in cards)
    return "\n".join([heading, summary, f'<ul class="{kind}">\n{items}\n</ul>', rest])


def _card(finding: Finding, root: Path, image: ImageParams) -> str:
    why = f'<p class="why">{escape(finding.reason)}</p>'
    return (_figure(finding.image, finding.line, root, image) if finding.image else "") + why


def _groups(
    report: Report, outcome: Outcome, root: Path, image: ImageParams
) -> tuple[int, list[str]]:
    """Return how many findings are shown, and a card a group with its images side by side."""
    shown, cards = 0, []
    query = (
        f"SELECT image, line, labels FROM images WHERE {outcome.check.group} = ? "  # noqa: S608
        "ORDER BY place LIMIT ?"
    )
    for first, size in report.groups(outcome, GROUPS):
        shown += size
        figures = [
            _figure(row["image"], row["line"], root, image, row["labels"])
            for row in report.connection.execute(query, (first.group, MEMBERS))
        ]
        why = f'<p class="why">{escape(str(first))}</p>'
        cards.append(f'<div class="side">{"".join(figures)}</div>{why}')
    return shown, cards


def _figure(name: str, line: int | None, root: Path, image: ImageParams, labels: str = "") -> str:
    where = f", line {line}" if line else ""
    said = f"<br>{escape(labels)}" if labels else ""
    caption = f"<figcaption><code>{escape(name)}</code>{where}{said}</figcaption>"
    return f"<figure>{_picture(root / name, image)}{caption}</figure>"


def _picture(path: Path, image: ImageParams) -> str:
    """Return a small picture inside the page, or words where the file cannot be shown."""
    try:
        data = imaging.read(path, image)
        pixels = imaging.decode(data, image, path.name, at_least=(THUMBNAIL, THUMBNAIL))
    except ImageError:
        return '<div class="none">no picture</div>'
    small = Image.fromarray(pixels)
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=80)
    encoded = b64encode(buffer.getvalue()).decode()
    return f'<img alt="{escape(path.name)}" src="data:image/jpeg;base64,{encoded}">'


def _classes(report: Report, head: Head) -> str:
    counts = report.connection.execute(
        "SELECT label, images FROM classes WHERE head = ? ORDER BY images DESC, place", (head,)
    ).fetchall()
    if not counts:
        return ""
    most = max(1, counts[0]["images"])
    rows = (
        f'<tr><td>{escape(label)}</td><td class="number">{count:,}</td>'
        f'<td class="bar"><div style="width: {100 * count / most:.1f}%"></div></td></tr>'
        for label, count in counts
    )
    return f"<h2>Images by {head}</h2>\n" + _table((head.capitalize(), "Images", ""), rows)


def _table(headers: Iterable[str], rows: Iterable[str]) -> str:
    header = "".join(f"<th>{text}</th>" for text in headers)
    body = "\n".join(rows)
    return f'<div class="scroll"><table>\n<tr>{header}</tr>\n{body}\n</table></div>'
