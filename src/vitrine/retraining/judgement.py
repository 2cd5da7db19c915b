"""What the stage `register` left: the gate's verdict on a version, and its conditions."""

import json
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

_TITLE = re.compile(r"# (?P<name>.+) version (?P<number>\d+): (?P<sentence>.+)")
_ROW = re.compile(r"\| (?P<mark>[✓✗]) \| (?P<text>.*) \|")
_ESCAPED = re.compile(r"\\([^\w\s])")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the gate.

    Attributes:
        passed: Whether it is met.
        text: What is required and what was found.
    """

    passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The gate's verdict.

    Attributes:
        name: Of the registered model.
        number: Of the version.
        sentence: The verdict in words, which begin with a small letter.
        passed: Whether the version may be promoted.
        conditions: All that was asked of it.
    """

    name: str
    number: str
    sentence: str
    passed: bool
    conditions: tuple[Condition, ...]

    @property
    def unmet(self) -> tuple[Condition, ...]:
        """The conditions that are not met."""
        return tuple(one for one in self.conditions if not one.passed)

    @classmethod
    def read(cls, folder: Path) -> "Judgement | None":
        """Read verdict.json and verdict.md; None where one is missing or damaged."""
        try:
            verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
            passed = verdict["gate"] == "passed"
            lines = (folder / "verdict.md").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError, KeyError, TypeError):
            return None
        title = _TITLE.fullmatch(lines[0]) if lines else None
        if title is None or title["number"] != str(verdict.get("version")):
            return None
        rows = (_ROW.fullmatch(line) for line in lines)
        conditions = (
            Condition(row["mark"] == "✓", unescape(_ESCAPED.sub(r"\1", row["text"])))
            for row in rows
            if row
        )
        return cls(title["name"], title["number"], title["sentence"], passed, tuple(conditions))
