"""Which stages of the pipeline have to run again, and why, judged by what matters.

DVC reads dvc.yaml and dvc.lock. Where its digests differ, it is looked at what differs: comments in
code and repeated images change no model. Nothing is run, and data/ need not be here.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.core.columns import aligned
from vitrine.core.errors import DataError
from vitrine.core.layout import DATA_POINTER
from vitrine.retraining.data import count_images
from vitrine.retraining.history import LOCK, History
from vitrine.retraining.judging import Judge

DOCUMENT = "affected.json"
_PIPELINE = "dvc.yaml"
_TRAIN = "train"
_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Affected:
    """Which stages have to run again.

    Attributes:
        stages: Why, by stage, in the order of dvc.yaml; only those that have to run.
        besides: Other stages that DVC runs too, for what does not count.
        ignored: What changed in a way that does not count.
        notes: What a reader must know besides.
        images: Rows of the manifest as it is now; None where it cannot be read.
        baseline: The commit that brought dvc.lock; None where it is not committed as it is.
    """

    stages: Mapping[str, tuple[str, ...]]
    besides: tuple[str, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    images: int | None
    baseline: str | None

    def document(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return {
            "run": bool(self.stages),
            "train": _TRAIN in self.stages,
            "images": self.images,
            "baseline": self.baseline,
            "stages": {stage: list(reasons) for stage, reasons in self.stages.items()},
            "besides": list(self.besides),
            "ignored": list(self.ignored),
            "notes": list(self.notes),
        }

    def describe(self) -> str:
        """Return the result for a terminal."""
        rows = [
            (stage if place == 0 else "", reason)
            for stage, reasons in self.stages.items()
            for place, reason in enumerate(reasons)
        ]
        lines = aligned(rows) if rows else []
        lines += [f"Not counted: {one}" for one in self.ignored]
        lines += [f"Note: {one}" for one in self.notes]
        return "\n".join([*lines, self._advice])

    @property
    def _advice(self) -> str:
        if not self.stages:
            but = " but for what is not counted" if self.ignored else ""
            return f"Nothing has to run: {LOCK} is up to date{but}."
        # A model belongs to one version of everything, so what was passed over is taken along.
        too = f" It takes {', '.join(self.besides)} along, for what is not counted."
        return "Run `dvc repro`." + (too if self.besides else "")


def find_affected() -> Affected:
    """Find out which stages of the working directory's pipeline have to run again.

    Raises:
        DataError: There is no pipeline, or it, dvc.lock or params.yaml cannot be read.
    """
    with _repository() as repository:
        history = History(repository)
        found = Judge(repository, history).all_findings()
        names = [stage.addressing for stage in repository.index.stages if stage.addressing in found]
        affected = {name: found[name].reasons for name in names if found[name].reasons}
        ignored = dict.fromkeys(one for name in names for one in found[name].ignored)
        notes = dict.fromkeys(one for name in names for one in found[name].notes)
        if affected and history.obstacle:
            notes[history.obstacle] = None
        return Affected(
            stages=affected,
            besides=tuple(n for n in names if n not in affected and found[n].ignored),
            ignored=tuple(ignored),
            notes=tuple(notes),
            images=count_images(),
            baseline=history.baseline,
        )


@contextmanager
def _repository() -> Iterator[Any]:
    """Yield DVC's view of the working directory; its errors become one line each."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    _check_files()
    try:
        with Repo() as repository:
            yield repository
    except DvcException as error:
        causes = [str(error), str(error.__cause__ or "")]
        text = ": ".join(" ".join(cause.split()) for cause in causes if cause)
        raise DataError(f"DVC cannot read the pipeline: {text}") from error


def _check_files() -> None:
    if not Path(_PIPELINE).is_file():
        raise DataError(f"{_PIPELINE} is missing: run this at the root of the repository")
    for name in (_PIPELINE, LOCK, str(DATA_POINTER), "params.yaml"):
        path = Path(name)
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        if found := _CONFLICT.search(text):
            line = text.count("\n", 0, found.start()) + 1
            whole = f"take one side whole: `git checkout --ours {name}`, or `--theirs`"
            remedy = whole if name == LOCK else "resolve it"
            raise DataError(f"{name} line {line}: the mark of a merge conflict; {remedy}")
