"""The report as one page of HTML that needs nothing else: no network, no script, no other file."""

from collections.abc import Iterable
from html import escape
from string import Template

from vitrine.monitoring.distances import Cell
from vitrine.monitoring.drift import Comparison
from vitrine.monitoring.report import COLUMNS, NUMBERS, Report, title

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Drift</title>
<style>
:root { color-scheme: light dark; --line: #8884; --before: #8a94a0; --now: #3f74c1 }
:root { --drift: #c62828; --good: #2e7d32; --warning: #9a5b00 }
@media (prefers-color-scheme: dark) {
  :root { --drift: #ff8a80; --good: #81c784; --warning: #ffb74d; --now: #7db0f0 }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin: 2.5rem 0 .25rem; font-size: 1.2rem }
h2 small { font-weight: normal; font-size: 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid var(--line) }
thead th { white-space: nowrap }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.cells th { font-weight: normal; white-space: nowrap }
.cells td.bars { width: 60%; min-width: 8rem; padding: .35rem 0 }
.bars div { height: .5rem; min-width: 1px } .key { margin: 0 }
.before { background: var(--before) } .now { background: var(--now) }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 0 }
.key span + span { margin-left: 1rem }
.drift { color: var(--drift); font-weight: bold } .good { color: var(--good) }
.warning { color: var(--warning) }
.scroll { overflow-x: auto }
@media (max-width: 40rem) {
  th, td { padding-right: .6rem; font-size: .9rem } .cells td.bars { width: 40%; min-width: 4rem }
}
</style>
</head>
<body>
<main>
<h1>Drift</h1>
<p class="$kind"><strong>$verdict</strong></p>
<ul>
$facts
</ul>
$overview
$details
</main>
</body>
</html>
""")
_NUMBER = ' class="number"'
_KEY = (
    '<p class="key"><span class="before"></span>reference &nbsp; '
    '<span class="now"></span>what the service saw</p>'
)


def render(report: Report) -> str:
    """Return the page: verdict, every feature, and the shares of both sides."""
    compared = report.compared
    kind = "drift" if compared.drifted else "good" if compared.comparisons else "warning"
    return _PAGE.substitute(
        kind=kind,
        verdict=escape(report.verdict),
        facts="\n".join(f"<li>{escape(line)}</li>" for line in report.facts),
        overview=_overview(report.rows),
        details="\n".join(_detail(one) for one in report.ordered if one.difference.cells),
    )


def _overview(rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(
        f'<th scope="col"{_NUMBER if name in NUMBERS else ""}>{name}</th>' for name in COLUMNS
    )
    body = []
    for name, result, *numbers, change in rows:
        cells = "".join(f"<td{_NUMBER}>{text}</td>" for text in numbers)
        kind = {"DRIFT": "drift", "no drift": "good"}.get(result, "warning")
        body.append(
            f'<tr><th scope="row">{escape(name)}</th><td class="{kind}">{result}</td>{cells}'
            f"<td>{escape(change)}</td></tr>"
        )
    return _table("overview", f"<thead><tr>{head}</tr></thead>", body)


def _detail(one: Comparison) -> str:
    kind = "drift" if one.drifted else "good"
    result = "drift" if one.drifted else "no drift"
    heading = f'<h2>{escape(title(one.feature))} <small class="{kind}">{result}</small></h2>'
    most = max(max(cell.before, cell.now) for cell in one.difference.cells)
    rows = (_row(cell, most) for cell in one.difference.cells)
    names = ("", "Reference", "Service", "")
    head = "".join(f'<th scope="col" class="number">{name}</th>' for name in names)
    return f"{heading}\n{_KEY}\n{_table('cells', f'<thead><tr>{head}</tr></thead>', rows)}"


def _row(cell: Cell, most: float) -> str:
    bars = "".join(
        f'<div class="{side}" style="width: {100 * share / most:.1f}%"></div>'
        for side, share in (("before", cell.before), ("now", cell.now))
    )
    return (
        f'<tr><th scope="row">{escape(cell.name)}</th><td class="number">{cell.before:.1%}</td>'
        f'<td class="number">{cell.now:.1%}</td><td class="bars">{bars}</td></tr>'
    )


def _table(name: str, head: str, rows: Iterable[str]) -> str:
    body = "\n".join(rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{name}">'
        f'<table class="{name}">\n{head}\n<tbody>\n{body}\n</tbody>\n</table></div>'
    )
