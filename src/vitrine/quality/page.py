"""The report as one page of HTML that needs nothing else: no network, no script, no other file."""

from base64 import b64encode
from collections.abc import Iterable
from html import escape
from io import BytesIO
from itertools import islice
from pathlib import Path
from string import Template

from PIL import Image

from vitrine import imaging
from vitrine.core.errors import ImageError
from vitrine.core.params import ImageParams
from vitrine.core.taxonomy import HEADS, Head
from vitrine.quality.expectations import Outcome
from vitrine.quality.report import DOCS, FINDINGS, Finding, Report

ROWS = 100
"""Rows of a check that the page lists; all of them are in the CSV beside it."""
PICTURES = 20
"""Rows of a check that are shown with their picture."""
THUMBNAIL = 96
"""The longer side of such a picture, in pixels."""

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vitrine: data checks</title>
<style>
:root { color-scheme: light dark; --line: #8884 }
:root { --error: #c62828; --warning: #b26a00; --good: #2e7d32 }
@media (prefers-color-scheme: dark) {
  :root { --error: #ff8a80; --warning: #ffb74d; --good: #81c784 }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line) }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td.bar { width: 60% } td.bar div { background: #5c86c4; height: .8rem; min-width: 1px }
img { max-width: ${side}px; max-height: ${side}px; display: block }
code { white-space: nowrap }
.error { color: var(--error) } .warning { color: var(--warning) } .passed { color: var(--good) }
.scroll { overflow-x: auto }
</style>
</head>
<body>
<h1>Data checks</h1>
<p><strong class="$class_">$verdict.</strong> $advice</p>
$sections
<p>Every row found: <a href="$findings">$findings</a>. The same results as Great Expectations shows
them: <a href="$docs/index.html">Data Docs</a> (their styles are fetched from the network).</p>
</body>
</html>
""")
_ADVICE = {
    "error": "An error stops the pipeline: correct these rows, then run the checks again.",
    "warning": "A warning does not stop the pipeline, but it is worth a look.",
    "passed": "The pipeline can go on.",
}


def render(report: Report, root: Path, image: ImageParams) -> str:
    """Return the page: verdict, all checks, the rows found with pictures, and the classes.

    Args:
        report: What was found.
        root: The data folder, for the pictures.
        image: The limits on bytes and pixels.
    """
    worst = next((kind for kind in ("error", "warning") if report.failed(kind)), "passed")
    sections = [
        _overview(report.outcomes),
        *(_section(report, outcome, root, image) for outcome in report.by_weight),
        *(_classes(report, head) for head in HEADS),
    ]
    return _PAGE.substitute(
        side=THUMBNAIL,
        class_=worst,
        verdict=escape(report.verdict()),
        advice=_ADVICE[worst],
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
            f'<tr><td>{title}</td><td>{check.severity}</td><td class="{kind}">{result}</td>'
            f'<td class="number">{outcome.found_in()}</td></tr>'
        )
    return _table(("What should hold", "Severity", "Result", "Fault found in"), rows)


def _section(report: Report, outcome: Outcome, root: Path, image: ImageParams) -> str:
    check = outcome.check
    heading = f'<h2 id="{check.name}" class="{outcome.weight}">{escape(check.title)}</h2>'
    summary = f"<p>Fault found in {outcome.found_in()} ({outcome.weight}).</p>"
    found = list(islice(report.findings(outcome), ROWS))
    if check.suite == "classes":
        items = "\n".join(f"<li>{escape(finding.reason)}</li>" for finding in found)
        return "\n".join([heading, summary, f"<ul>\n{items}\n</ul>"])
    pictures = [_picture(root / finding.image, image) for finding in found[:PICTURES]]
    pictures += [""] * (len(found) - len(pictures))
    rows = (_row(finding, picture) for finding, picture in zip(found, pictures, strict=True))
    table = _table(("", "Line", "File", "What is wrong, what to do"), rows)
    more = len(outcome.broken) - ROWS
    rest = f"<p>… and {more:,} more in <a href={FINDINGS!r}>{FINDINGS}</a>.</p>" if more > 0 else ""
    return "\n".join([heading, summary, table, rest])


def _row(finding: Finding, picture: str) -> str:
    return (
        f'<tr><td>{picture}</td><td class="number">{finding.line or ""}</td>'
        f"<td><code>{escape(finding.image)}</code></td><td>{escape(finding.reason)}</td></tr>"
    )


def _picture(path: Path, image: ImageParams) -> str:
    """Return a small picture inside the page, or nothing where the file cannot be shown."""
    try:
        data = imaging.read(path, image)
        pixels = imaging.decode(data, image, path.name, at_least=(THUMBNAIL, THUMBNAIL))
    except ImageError:
        return ""
    small = Image.fromarray(pixels)
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=80)
    encoded = b64encode(buffer.getvalue()).decode()
    return f'<img alt="{escape(path.name)}" src="data:image/jpeg;base64,{encoded}">'


def _classes(report: Report, head: Head) -> str:
    table = report.tables["classes"]
    counts = {
        row["label"]: row["images"]
        for row in table.rows(range(len(table.frame)))
        if row["head"] == head
    }
    if not counts:
        return ""
    most = max(1, *counts.values())
    rows = (
        f'<tr><td>{escape(label)}</td><td class="number">{count:,}</td>'
        f'<td class="bar"><div style="width: {100 * count / most:.1f}%"></div></td></tr>'
        for label, count in sorted(counts.items(), key=lambda item: -item[1])
    )
    return f"<h2>Images by {head}</h2>\n" + _table((head.capitalize(), "Images", ""), rows)


def _table(headers: Iterable[str], rows: Iterable[str]) -> str:
    header = "".join(f"<th>{text}</th>" for text in headers)
    body = "\n".join(rows)
    return f'<div class="scroll"><table>\n<tr>{header}</tr>\n{body}\n</table></div>'
