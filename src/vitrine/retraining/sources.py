"""What there is to say of a retraining, gathered from what its tools left."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vitrine.core.errors import DataError
from vitrine.core.layout import artifacts, reports
from vitrine.quality.difference import commit_of
from vitrine.quality.difference.result import MARKDOWN
from vitrine.quality.earlier import git
from vitrine.retraining.affected import DOCUMENT
from vitrine.retraining.data_report import DataReport
from vitrine.retraining.figures import Figures
from vitrine.retraining.history import LOCK
from vitrine.retraining.judgement import Judgement
from vitrine.retraining.reproduction import Reproduction


@dataclass(frozen=True, slots=True)
class Planned:
    """What `vitrine affected` said before the run.

    Attributes:
        stages: Why a stage had to run, by stage.
        ignored: What changed in a way that does not count.
        notes: What else a reader must know.
    """

    stages: Mapping[str, tuple[str, ...]]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """All that a comment is made of; None where a tool left nothing.

    Attributes:
        base: The commit that the figures are compared with, short.
        logged: Whether there should be a log of the run.
        run: What that log says.
        planned: What had to run.
        data: What changed in the data.
        continued: The stages that an earlier run had finished whose results are not committed.
        stages: Those that left something new: in this run, or without one since the base.
        figures: Of those stages.
        judgement: The gate's verdict, where it is new.
        run_id: The MLflow run, where there was a training.
    """

    base: str
    logged: bool
    run: Reproduction | None
    planned: Planned | None
    data: DataReport | None
    continued: tuple[str, ...]
    stages: tuple[str, ...]
    figures: Figures
    judgement: Judgement | None
    run_id: str | None

    @classmethod
    def gather(cls, base: str, log: Path | None) -> "Sources":
        """Read what lies in the working directory; what was left by earlier runs is left out.

        Args:
            base: The revision to compare figures with.
            log: What `dvc repro` printed; None where nothing was to run.

        Raises:
            DataError: git does not know the revision.
        """
        commit = _commit(base)
        run = Reproduction.read(log) if log else None
        planned = _planned(reports("affected") / DOCUMENT)
        # Without a run, what still has to run has left nothing but what is out of date.
        outdated = run is None and (log is not None or bool(planned and planned.stages))
        figures = Figures({}) if outdated else Figures.read(commit)
        continued = _uncommitted(run.unchanged) if run else ()
        stages = (*continued, *run.made) if run else figures.changed
        return cls(
            base=commit[:7],
            logged=log is not None,
            run=run,
            planned=planned,
            data=DataReport.read(reports("diff") / MARKDOWN),
            continued=continued,
            stages=stages,
            figures=figures.only(stages),
            judgement=Judgement.read(reports("register")) if "register" in stages else None,
            run_id=_run_id(artifacts("train") / "run.json") if "train" in stages else None,
        )


def _commit(revision: str) -> str:
    try:
        return commit_of(revision, Path())
    except DataError as error:
        raise DataError(f"--base: {error}") from None


def _uncommitted(stages: Sequence[str]) -> tuple[str, ...]:
    """Return those of some stages whose outputs in dvc.lock are not those of the commit."""
    if not stages:
        return ()
    committed = git(Path(), "show", f"HEAD:./{LOCK}")
    before = _outputs(committed.stdout if committed.returncode == 0 else "")
    now = _outputs(Path(LOCK).read_text(encoding="utf-8") if Path(LOCK).is_file() else "")
    return tuple(one for one in stages if now.get(one) != before.get(one))


def _outputs(lock: str) -> dict[str, Any]:
    """Return what each stage of a dvc.lock made; nothing where it is damaged."""
    try:
        return {name: one["outs"] for name, one in yaml.safe_load(lock)["stages"].items()}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}


def _planned(path: Path) -> Planned | None:
    found = _document(path)
    try:
        stages = {stage: tuple(map(str, why)) for stage, why in found["stages"].items()}
        ignored, notes = (tuple(map(str, found.get(key, ()))) for key in ("ignored", "notes"))
        return Planned(stages, ignored, notes)
    except (KeyError, TypeError, AttributeError):
        return None


def _run_id(path: Path) -> str | None:
    found = _document(path).get("run_id")
    return found if isinstance(found, str) else None


def _document(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one where it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
