"""What the checks found, in words for a terminal, in numbers, and as a list of all rows."""

# ruff: noqa: S608 - what the SQL is put together from are the checks' own words

import csv
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vitrine.core.files import atomic_file
from vitrine.quality.checks import FINDINGS, Severity
from vitrine.quality.expectations import Outcome

PAGE = "index.html"
DOCS = "data_docs"
FIRST = {"error": 5, "warning": 3}
"""Rows of a failed check that the terminal shows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that breaks a check.

    Attributes:
        where: How to find it: file, line, image.
        line: Of manifest.csv; None for what is no row of it.
        image: The path under data/; empty for what is no image.
        reason: What is wrong with it and what to do.
        group: Equal for images to be looked at side by side; None where there is no such.
    """

    where: str
    line: int | None
    image: str
    reason: str
    group: Any

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True)
class Report:
    """The outcomes of all checks of a catalogue.

    Args:
        outcomes: In the order of the checks.
        connection: The database that the checks were run on.
        notes: What else a person should know, a sentence each.
    """

    outcomes: list[Outcome]
    connection: sqlite3.Connection
    notes: tuple[str, ...] = ()

    @cached_property
    def images(self) -> int:
        """How many rows the manifest has."""
        return int(self.connection.execute("SELECT count(*) FROM images").fetchone()[0])

    def failed(self, severity: Severity) -> list[Outcome]:
        """Return the outcomes of this severity whose check is not met."""
        return [o for o in self.outcomes if not o.passed and o.check.severity == severity]

    @cached_property
    def by_weight(self) -> list[Outcome]:
        """The outcomes with something to look at: failed errors, failed warnings, the tolerated."""
        tolerated = [o for o in self.outcomes if o.passed and o.broken]
        return self.failed("error") + self.failed("warning") + tolerated

    def findings(self, outcome: Outcome, limit: int = -1) -> Iterator[Finding]:
        """Yield the rows that break a check, in the order of its table, `limit` of them at most."""
        return self._select(outcome, f"SELECT place FROM ({outcome.query})", limit)

    def groups(self, outcome: Outcome, limit: int) -> Iterator[tuple[Finding, int]]:
        """Yield the first row that breaks a check of each of the first groups, and how many do."""
        key, table = outcome.check.group, outcome.check.table
        found = (
            f"SELECT min(place) AS place, count(*) AS size FROM {table} "
            f"WHERE place IN (SELECT place FROM ({outcome.query})) "
            f"GROUP BY {key} ORDER BY 1 LIMIT {limit:d}"
        )
        sizes = [row["size"] for row in self.connection.execute(found)]
        yield from zip(
            self._select(outcome, f"SELECT place FROM ({found})", limit), sizes, strict=True
        )

    def _select(self, outcome: Outcome, places: str, limit: int) -> Iterator[Finding]:
        check = outcome.check
        extra = "".join(f", {sql} AS {name}" for name, sql in check.extra.items())
        query = (
            f"SELECT i.*{extra} FROM {check.table} AS i "
            f"WHERE i.place IN ({places}) ORDER BY i.place LIMIT ?"
        )
        for row in map(dict, self.connection.execute(query, (limit,))):
            group = row[check.group] if check.group else None
            where, reason = check.where(row), check.explain(row)
            yield Finding(where, row.get("line"), row.get("image", ""), reason, group)

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
        } | {outcome.check.name: outcome.broken for outcome in self.outcomes}

    def describe(self, folder: Path, advice: str) -> str:
        """Return the result for a terminal: a line a check with faults, the first rows, what next.

        Args:
            folder: Where the full report lies.
            advice: What to do about errors.
        """
        lines = [self.verdict(), *self._overview(), *self.notes]
        for outcome in self.failed("error") + self.failed("warning"):
            lines += ["", *self._first_findings(outcome)]
        lines += ["", f"Look closer: {folder / PAGE} (pictures), or `make docs-data`"]
        lines.append(f"             {folder / FINDINGS} (every row found)")
        if self.failed("error"):
            lines.append(advice)
        return "\n".join(lines)

    def _overview(self) -> Iterator[str]:
        if not self.by_weight:
            return
        width = max(len(outcome.check.name) for outcome in self.by_weight)
        yield ""
        yield f"{'check':{width}}  suite      severity  result     fault found in"
        for outcome in self.by_weight:
            check, result = outcome.check, "tolerated" if outcome.passed else "FAILED"
            start = f"{check.name:{width}}  {check.suite:9}  {check.severity:8}  {result:9}"
            yield f"{start}  {outcome.found_in()}"
        others = len(self.outcomes) - len(self.by_weight)
        yield f"{others} other{'' if others == 1 else 's'} found nothing"

    def _first_findings(self, outcome: Outcome) -> Iterator[str]:
        check = outcome.check
        yield f"{check.severity}: {check.title}; fault found in {outcome.found_in()}"
        for finding in self.findings(outcome, FIRST[check.severity]):
            yield f"  {finding}"
        if (more := outcome.broken - FIRST[check.severity]) > 0:
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
