"""What the checks found, in words for a terminal, in numbers, and as a list of all rows."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from vitrine.core.files import atomic_file
from vitrine.quality.checks import TABLES, Severity
from vitrine.quality.expectations import Outcome
from vitrine.quality.tables import Table

PAGE = "index.html"
FINDINGS = "findings.csv"
DOCS = "data_docs"
FIRST = 5
"""Rows of a failed check that the terminal shows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that breaks a check.

    Attributes:
        line: Of manifest.csv; None for a file without a row and for a class.
        image: The path under data/; empty for a class.
        reason: What is wrong with it and what to do.
    """

    line: int | None
    image: str
    reason: str

    def __str__(self) -> str:
        if not self.image:
            return f"taxonomy.yaml: {self.reason}"
        where = "" if self.line is None else f"manifest.csv line {self.line}, "
        return f"{where}{self.image}: {self.reason}"


@dataclass(frozen=True)
class Report:
    """The outcomes of all checks of a catalogue, with the tables that they were run on."""

    outcomes: list[Outcome]
    tables: Mapping[str, Table]

    @cached_property
    def images(self) -> int:
        """How many rows the manifest has."""
        return len(self.tables["images"].frame)

    def failed(self, severity: Severity) -> list[Outcome]:
        """Return the outcomes of this severity whose check is not met."""
        return [o for o in self.outcomes if not o.passed and o.check.severity == severity]

    @cached_property
    def by_weight(self) -> list[Outcome]:
        """The outcomes with something to look at: failed errors, failed warnings, the tolerated."""
        tolerated = [o for o in self.outcomes if o.passed and o.broken]
        return self.failed("error") + self.failed("warning") + tolerated

    def findings(self, outcome: Outcome) -> Iterator[Finding]:
        """Yield the rows that break a check, in the order of its table."""
        table = self.tables[TABLES[outcome.check.suite]]
        for row in table.rows(outcome.broken):
            yield Finding(row.get("line"), row.get("image", ""), outcome.check.explain(row))

    def verdict(self) -> str:
        """Return the result in one line."""
        counts = [
            f"{len(failed)} {severity}{'s' if len(failed) > 1 else ''}"
            for severity in ("error", "warning")
            if (failed := self.failed(severity))
        ]
        found = " and ".join(counts) or "nothing wrong"
        return f"{len(self.outcomes)} checks of {self.images:,} images found {found}"

    def metrics(self) -> dict[str, int]:
        """Return how many images, failed checks, and rows that break each check there are."""
        return {
            "images": self.images,
            "errors": len(self.failed("error")),
            "warnings": len(self.failed("warning")),
        } | {outcome.check.name: len(outcome.broken) for outcome in self.outcomes}

    def describe(self, folder: Path) -> str:
        """Return the result for a terminal: verdict, a line a check, the first rows of the failed.

        Args:
            folder: Where the full report lies.
        """
        lines = [self.verdict(), "", *self._overview()]
        for outcome in self.failed("error") + self.failed("warning"):
            lines += ["", *self._first_findings(outcome)]
        lines += ["", f"Look closer: {folder / PAGE} (in words, with pictures)"]
        lines.append(f"             {folder / FINDINGS} (every row found)")
        lines.append(f"             {folder / DOCS / 'index.html'} (Great Expectations)")
        return "\n".join(lines)

    def _overview(self) -> Iterator[str]:
        width = max(len(outcome.check.title) for outcome in self.outcomes)
        yield f"{'check':{width}}  severity  result  fault found in"
        for outcome in self.outcomes:
            check, result = outcome.check, "passed" if outcome.passed else "FAILED"
            yield f"{check.title:{width}}  {check.severity:8}  {result}  {outcome.found_in()}"

    def _first_findings(self, outcome: Outcome) -> Iterator[str]:
        check = outcome.check
        yield f"{check.severity}: {check.title}; fault found in {outcome.found_in()}"
        for finding in islice(self.findings(outcome), FIRST):
            yield f"  {finding}"
        if (more := len(outcome.broken) - FIRST) > 0:
            yield f"  ... and {more:,} more"

    def write_findings(self, path: Path) -> None:
        """Write every row that breaks a check as CSV.

        The severity of a row is `tolerated` where the check passed in spite of it.
        """
        with (
            atomic_file(path) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["check", "severity", "line", "image", "reason"])
            for outcome in self.by_weight:
                start = [outcome.check.name, outcome.weight]
                for finding in self.findings(outcome):
                    writer.writerow([*start, finding.line, finding.image, finding.reason])
