"""What was in service when, read from the records of all releases."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vitrine import tracking
from vitrine.core.columns import aligned
from vitrine.tracking import Release

SHOWN = ("style_macro_f1", "category_macro_f1")
"""The figures of the test split that the table shows."""
SHORT = 8
"""Characters of a digest that a table shows."""


def in_service(releases: Sequence[Release]) -> list[Release]:
    """Return the accepted releases from the first to the present one, without what was taken back.

    A rollback takes away what came after the version that it returns to, so that the next one goes
    a step further back.

    Args:
        releases: All records of a model, the oldest first.
    """
    stack: list[Release] = []
    for release in releases:
        if release.outcome != "accepted":
            continue
        if release.kind == "rollback" and release.version in {entry.version for entry in stack}:
            while stack[-1].version != release.version:
                stack.pop()
        else:
            stack.append(release)
    return stack


@dataclass(frozen=True, slots=True)
class History:
    """All releases of a registered model, the oldest first, and which version is in service."""

    model: str
    releases: tuple[Release, ...]
    present: str

    def describe(self) -> str:
        """Return a table, the newest release first."""
        if not self.releases:
            return (
                f"no version of {self.model} was in service yet: promote one in the MLflow UI or "
                "with `vitrine promote VERSION`, then run `vitrine package`"
            )
        header = ("when (UTC)", "version", "outcome", "instead of", "by", "data", "commit")
        figures = tuple(name.replace("_macro_f1", " F1") for name in SHOWN)
        rows = [(*header, *figures, "why"), *map(_row, reversed(self.releases))]
        return "\n".join([*aligned(rows), "", f"In service: version {self.present or 'none'}"])

    def document(self) -> dict[str, Any]:
        """Return the same as a JSON-like value."""
        return {
            "model": self.model,
            "in_service": self.present or None,
            "releases": [asdict(release) for release in self.releases],
        }


def history(name: str) -> History:
    """Read the releases of a registered model.

    Raises:
        TrackingError: The tracking store does not answer.
    """
    tracking.check()
    found = tracking.releases(name)
    stack = in_service(found)
    return History(name, tuple(found), stack[-1].version if stack else "")


def _row(release: Release) -> tuple[str, ...]:
    figures = (release.metrics.get(name) for name in SHOWN)
    outcome: str = release.outcome
    if release.kind == "rollback" and outcome == "accepted":
        outcome = "rolled back"
    return (
        release.at.replace("T", " ").removesuffix("+00:00"),
        release.version,
        outcome,
        release.replaced or "none",
        release.by,
        release.data_digest[:SHORT],
        release.git_commit[:SHORT],
        *("" if figure is None else f"{figure:.3f}" for figure in figures),
        release.why,
    )
