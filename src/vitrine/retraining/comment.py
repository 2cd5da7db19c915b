"""What a pull request says of a retraining: a careful engineer's note, as GitHub shows it."""

from collections.abc import Iterator, Sequence

from vitrine.core.layout import reports
from vitrine.core.markdown import bullets, fenced, folded, plain, table
from vitrine.retraining.curve import curve
from vitrine.retraining.discretion import hide
from vitrine.retraining.outcome import outcome
from vitrine.retraining.pages import link, run_link
from vitrine.retraining.sources import Sources

MARKER = "<!-- vitrine retrain -->"
"""The first line, which is not shown: a workflow finds its comment again by it."""
LIMIT = 65_536
"""Characters that GitHub takes in a comment."""
_FILES = {
    "diff": ("index.html", "*.jpg"),
    "validate": ("index.html", "findings.csv"),
    "prepare": ("index.html",),
    "pretrain": ("history.csv",),
    "tune": ("trials.csv", "plots/*.png"),
    "evaluate": ("card.html", "per_class.csv", "slices.csv", "plots/*.png"),
    "register": ("verdict.md",),
}
"""What a person opens of the artifact, by folder of reports/."""
_LEFT_OUT = "Parts that GitHub has no room for are left out; all is in the artifact."
_DATA = "What changed in the data"
_LONGEST = 1000
_REASONS = 10
_CONDITIONS = 50


def write_comment(sources: Sources, address: str | None) -> str:
    """Return the comment as Markdown, at most `LIMIT` characters.

    Args:
        sources: What there is to say.
        address: Of the workflow run, which has all files; None where there is none.
    """
    foot = list(_foot(sources, address))
    room = LIMIT - _length((*foot, _LEFT_OUT))
    shortest = sources.data.cut(0) if sources.data else ""
    if sources.data:
        room -= _length((folded(_DATA, shortest),))
    kept: list[str] = []
    left_out = False
    for part in _head(sources):
        if _length((*kept, part)) <= room:
            kept.append(part)
        else:
            left_out = True
    if sources.data:
        rest = room - _length(kept)
        kept.append(folded(_DATA, sources.data.cut(len(shortest) + rest)))
    if left_out:
        foot.append(_LEFT_OUT)
    return hide("\n\n".join((*kept, *foot)) + "\n")


def _length(parts: Sequence[str]) -> int:
    return sum(len(part) + 2 for part in parts)


def _head(sources: Sources) -> Iterator[str]:
    """Yield the parts, what matters most first."""
    headline, step = outcome(sources)
    yield f"{MARKER}\n## {headline}"
    if step:
        yield f"**Next:** {step}"
    if facts := list(_facts(sources)):
        yield bullets(facts)
    if sources.run and (sources.run.unkept or not sources.run.ended):
        yield fenced("\n".join(sources.run.said), "text")
    if sources.judgement and sources.judgement.unmet:
        yield "### Not met at the gate"
        yield bullets(plain(one.text, _LONGEST) for one in sources.judgement.unmet[:_CONDITIONS])
    yield from _figures(sources)
    if "train" in sources.stages and (drawing := curve(reports("train") / "history.csv")):
        yield folded("Macro F1 by epoch", drawing)
    if reasons := _reasons(sources):
        yield folded("What had to run, and why", reasons)


def _facts(sources: Sources) -> Iterator[str]:
    if sources.data:
        yield sources.data.verdict
    if run := sources.run:
        for words, stages in (
            ("Ran", run.ran),
            ("Taken from an earlier run with the same inputs", run.restored),
            ("Finished by an earlier run that was cut short", sources.continued),
            ("Nothing to do", [one for one in run.unchanged if one not in sources.continued]),
        ):
            if stages:
                yield f"{words}: {', '.join(map(plain, stages))}."
    if sources.run_id:
        yield f"MLflow run {run_link(sources.run_id)}."


def _figures(sources: Sources) -> Iterator[str]:
    figures = sources.figures
    if figures.obstacle:
        yield f"The figures cannot be compared: {plain(figures.obstacle, _LONGEST)}"
    if headline := figures.headline():
        yield "### Figures"
        yield headline
        yield f"Before is commit {sources.base}. {figures.ground()}".rstrip()
    if sources.judgement:
        met = (
            ("✓" if one.passed else "✗", plain(one.text, _LONGEST))
            for one in sources.judgement.conditions[:_CONDITIONS]
        )
        yield folded("All conditions of the gate", table(("", "condition"), met))
    if rest := figures.rest():
        yield folded("Other figures that changed", rest)


def _reasons(sources: Sources) -> str:
    if sources.planned is None:
        return ""
    rows = [
        (plain(stage), plain(reason, _LONGEST))
        for stage, why in sources.planned.stages.items()
        for reason in _first(why)
    ]
    found = [table(("stage", "why"), rows)] if rows else []
    if ignored := sources.planned.ignored:
        found.append("Changed in a way that does not count:")
        found.append(bullets(plain(one, _LONGEST) for one in _first(ignored)))
    if notes := sources.planned.notes:
        found.append(bullets(plain(one, _LONGEST) for one in _first(notes)))
    return "\n\n".join(found)


def _first(reasons: Sequence[str]) -> Sequence[str]:
    left = len(reasons) - _REASONS
    return (*reasons[:_REASONS], f"… and {left:,} more") if left > 0 else reasons


def _foot(sources: Sources, address: str | None) -> Iterator[str]:
    """Yield where the files are that a comment cannot hold."""
    failed = (sources.run.failed,) if sources.run else ()
    named = [
        (reports(folder) / pattern).as_posix()
        for folder, patterns in _FILES.items()
        if folder == "diff" or folder in (*sources.stages, *failed)
        for pattern in patterns
        if any(reports(folder).glob(pattern))
    ]
    run = link("the workflow run", address) if address else ""
    if named:
        where = f" of {run}" if run else ""
        yield f"In the artifact{where}: {', '.join(f'`{name}`' for name in named)}."
    elif run:
        yield f"See {run}."
