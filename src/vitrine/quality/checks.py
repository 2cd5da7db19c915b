"""What a check is: one expectation as data, with the words for a row that breaks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]
Suite = Literal["integrity", "labels", "quality", "change", "leakage"]
Rule = Literal["in_set", "not_in_set", "between", "null", "not_null", "agree"]

FINDINGS = "findings.csv"
"""The list of every row that breaks a check, in the folder of a stage's reports."""

WHERE = {
    "images": "manifest.csv line {line}, {image}",
    "files": "{image}",
    "classes": "taxonomy.yaml",
    "heads": "manifest.csv",
    "shifts": "manifest.csv",
    "earlier_classes": "manifest.csv",
}
"""How the rows of a table are named to a person, by table of `vitrine.quality.database`."""


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of the cells of a column.

    Attributes:
        name: Its key in the metrics and lists.
        suite: What it belongs to.
        severity: `error` stops the pipeline, `warning` is only shown.
        title: What should hold, in words.
        table: What it is run on.
        column: Of the table. Empty cells are judged only by the rules about emptiness.
        rule: How a cell is judged; `agree`: rows with the same cell have the same labels.
        reason: What a row that breaks it has, and what to do: a template over the row's columns.
        limits: The rule's values, and `mostly`, the share of cells that must keep it (1 without).
        extra: Columns more for the reason: SQL expressions over the row `i`, by name.
        group: The column that is equal in images to be looked at side by side.
    """

    name: str
    suite: Suite
    severity: Severity
    title: str
    table: str
    column: str
    rule: Rule
    reason: str
    limits: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None

    def explain(self, row: Mapping[str, Any]) -> str:
        """Return why a row of the table breaks the check, and what to do."""
        return self.reason.format_map(row)

    def where(self, row: Mapping[str, Any]) -> str:
        """Return how to find the row."""
        return WHERE[self.table].format_map(row)


def percent(share: float) -> str:
    """Return a share as a person writes it: `0.5 %`."""
    return f"{100 * share:g} %"
