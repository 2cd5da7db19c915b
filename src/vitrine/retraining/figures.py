"""What `dvc metrics diff` says, as a person reads it: the figures of both heads first."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NamedTuple

from vitrine.core.markdown import plain, table
from vitrine.core.taxonomy import HEADS

MEASURES = {
    "accuracy": "accuracy",
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "macro_f1": "macro F1",
    "calibration_error": "calibration error (lower is better)",
}
_EVALUATE, _REGISTER = "evaluate", "register"
_TEST_SPLIT = "test_digest"
_APART = re.compile(r"[._](low|high)$|second|latency|duration|uncalibrated")
"""Figures that are not listed with the rest: bounds of others, and times."""
_ROWS = 150
_LONGEST = 80


class Figure(NamedTuple):
    """A figure before and now; None where that side has none."""

    before: Any
    now: Any

    @property
    def cells(self) -> tuple[str, str, str]:
        """The cells of a table: before, now, the difference."""
        return _cell(self.before), _cell(self.now), self.difference

    @property
    def difference(self) -> str:
        """How much more it is now, `new`, `gone`, or nothing where it is no number."""
        if self.before is None or self.now is None:
            return "new" if self.before is None else "gone"
        if isinstance(self.before, str | bool) or isinstance(self.now, str | bool):
            return ""
        change = self.now - self.before
        return f"{change:+,}" if isinstance(change, int) else f"{change:+.3f}"


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of the stages before and now.

    Attributes:
        stages: By stage, its figures by name: `style.accuracy`.
        obstacle: Why they cannot be compared; empty where they can.
    """

    stages: Mapping[str, Mapping[str, Figure]]
    obstacle: str = ""

    @classmethod
    def read(cls, base: str) -> "Figures":
        """Let DVC compare the metrics of the working tree with those of a revision, which exists.

        Args:
            base: Any name of a commit.
        """
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        try:
            with Repo() as repository:
                found = repository.metrics.diff(a_rev=base, all=True)
        except DvcException as error:
            return cls({}, str(error))
        broken = found.get("errors", {}).get("workspace")
        if isinstance(broken, Exception):
            return cls({}, str(broken))
        stages: dict[str, dict[str, Figure]] = {}
        for path, figures in found.get("diff", {}).items():
            of = stages.setdefault(PurePath(path).parent.name, {})
            of |= {name: Figure(one["old"], one["new"]) for name, one in figures.items()}
        return cls(stages)

    def only(self, stages: Sequence[str]) -> "Figures":
        """Return the figures of some stages, in their order."""
        kept = {stage: self.stages[stage] for stage in stages if stage in self.stages}
        return Figures(kept, self.obstacle)

    @property
    def changed(self) -> tuple[str, ...]:
        """The stages of which a figure is another one than before."""
        return tuple(
            stage
            for stage, found in sorted(self.stages.items())
            if any(one.before != one.now for one in found.values())
        )

    def ground(self) -> str:
        """Say whether the test split is what it was; empty where that is not known."""
        before, now = self.stages.get(_REGISTER, {}).get(_TEST_SPLIT, (None, None))
        if before is None or now is None:
            return ""
        if before == now:
            return "Its test split is the same."
        return (
            "**Its test split was another one: the differences are not only those of the models.** "
            "The gate compares models on the same images."
        )

    def headline(self) -> str:
        """Return a table of what matters most of both heads; empty where nothing is known."""
        rows = [
            (f"{head}: {words}", *self._measure(f"{head}.{name}"))
            for head in HEADS
            for name, words in MEASURES.items()
            if f"{head}.{name}" in self.stages.get(_EVALUATE, {})
        ]
        columns = ("test split", "before", "now", "95 % interval", "difference")
        return table(columns, rows) if rows else ""

    def _measure(self, name: str) -> tuple[str, str, str, str]:
        found = self.stages[_EVALUATE]
        low, high = (found.get(f"{name}_{end}", Figure(None, None)).now for end in ("low", "high"))
        interval = "" if low is None or high is None else f"{low:.3f} to {high:.3f}"
        one = found[name]
        return _cell(one.before), _cell(one.now), interval, one.difference

    def rest(self) -> str:
        """Return a table of the other figures that differ; empty where none does."""
        told = {f"{head}.{name}" for head in HEADS for name in MEASURES}
        rows = [
            (plain(stage), plain(name, _LONGEST), *one.cells)
            for stage, found in self.stages.items()
            if stage != _REGISTER
            for name, one in sorted(found.items())
            if one.before != one.now and not _APART.search(name)
            if stage != _EVALUATE or name not in told
        ]
        return _first(("stage", "figure", "before", "now", "difference"), rows)


def _first(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    left = len(rows) - _ROWS
    text = table(columns, rows[:_ROWS]) if rows else ""
    return f"{text}\n\n… and {left:,} more: `dvc metrics diff`." if left > 0 else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if isinstance(value, float) else plain(str(value), _LONGEST)
