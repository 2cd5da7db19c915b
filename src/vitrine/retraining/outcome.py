"""How a retraining came out, in a sentence, and what a person does next."""

from collections.abc import Iterable
from typing import NamedTuple

from vitrine.core.markdown import plain
from vitrine.retraining.judgement import Judgement
from vitrine.retraining.pages import is_kept, version_link
from vitrine.retraining.reproduction import Reproduction
from vitrine.retraining.sources import Sources

_LONGEST = 200
_NAMED = 3
_BEFORE = "As it was judged before:"


class Outcome(NamedTuple):
    """The outcome, as Markdown.

    Attributes:
        headline: It in a sentence without a full stop.
        step: What to do now; empty where there is nothing.
    """

    headline: str
    step: str


def outcome(sources: Sources) -> Outcome:
    """Say how the run came out, or that there was none."""
    if sources.run is None:
        return _without_run(sources)
    if not sources.run.ended:
        return _stopped(sources.run)
    if sources.run.unkept:
        return Outcome(
            "Trained, but what was made could not be pushed",
            "Mend what it names below, and start the workflow again: nothing is committed, and "
            "there is no version to promote that others could rebuild.",
        )
    if sources.judgement:
        return _judged(sources.judgement, _how(sources, sources.run))
    if not sources.run.made:
        return Outcome("Nothing had to run: dvc.lock is up to date", "")
    return Outcome(f"Ran {_names(sources.run.made)}: the rest had nothing to do after it", "")


def _without_run(sources: Sources) -> Outcome:
    planned, judgement = sources.planned, sources.judgement
    if sources.logged:
        return Outcome(
            "The retraining broke off before the pipeline began",
            "See the log of the workflow run, and start it again.",
        )
    if planned and not planned.stages:
        said = _ignored(planned.ignored)
        if judgement and not said:
            return _judged(judgement, "Up to date:")
        step = _judged(judgement, _BEFORE).step if judgement else ""
        return Outcome(f"Nothing was trained: {said or 'dvc.lock is up to date'}", step)
    if planned:
        return Outcome(
            f"Has to run: {_names(planned.stages)}", "`vitrine affected` names the command."
        )
    if judgement:
        return _judged(judgement, _BEFORE)
    return Outcome("Nothing is known of a run", "")


def _ignored(found: Iterable[str]) -> str:
    """Return what did not count and in how much; a file or folder and a colon are before it."""
    places: dict[str, list[str]] = {}
    for one in found:
        place, _, reason = one.rpartition(": ")
        places.setdefault(reason, []).append(place)
    return " and ".join(
        plain(f"{reason} ({where[0] if len(where) == 1 else f'{len(where):,} files'})", _LONGEST)
        for reason, where in list(places.items())[:_NAMED]
    )


def _stopped(run: Reproduction) -> Outcome:
    if run.failed == "validate":
        return Outcome(
            "Stopped at validate",
            "Correct the rows that are named below, or set them aside with `vitrine quarantine`; "
            "then `dvc add data`, and commit and push `data.dvc`.",
        )
    if run.failed:
        return Outcome(
            f"Stopped at {plain(run.failed)}",
            "Mend what it names below; then push, or start the workflow again: what was finished "
            "is not done again.",
        )
    if run.broken and not run.known:
        return Outcome(
            "Stopped before the pipeline began", "Mend what it names below, and push again."
        )
    if run.broken:
        return Outcome("`dvc repro` failed", "Mend what it names below, and push again.")
    where = f"in {plain(run.begun)}" if run.begun else "between two stages"
    return Outcome(
        f"Cut short {where}: cancelled, or out of time",
        "Start the workflow again: what was finished is not done again.",
    )


def _how(sources: Sources, run: Reproduction) -> str:
    """Return how the version came about; its number follows."""
    if "train" in (*run.ran, *sources.continued):
        return "Retrained as"
    if "register" in run.ran:
        return "Nothing new was trained; judged anew:"
    return "As in an earlier run with the same inputs:"


def _judged(judgement: Judgement, how: str) -> Outcome:
    number, sentence = judgement.number, plain(judgement.sentence, _LONGEST)
    page = version_link(judgement.name, number)
    if not is_kept():
        step = (
            "This run had MLflow in a file of its own, which is gone: for a version to promote, "
            "run it with the team's server (`MLFLOW_TRACKING_URI`)."
        )
    elif judgement.passed:
        step = (
            f"Promote {page}: give it the alias `champion` in the MLflow UI, or run "
            f"`vitrine promote {number}`."
        )
    else:
        step = (
            f"Leave {page} unpromoted: what it lacks for the gate is below. Who wants it "
            f'all the same says why: `vitrine promote {number} --force --reason "…"`.'
        )
    return Outcome(f"{how} version {number}; {sentence}", step)


def _names(stages: Iterable[str]) -> str:
    return ", ".join(map(plain, stages))
