"""What a comparison found, in words for a terminal and a pull request, and in numbers."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vitrine.core.columns import aligned
from vitrine.core.errors import DataError
from vitrine.core.markdown import bullets, plain, table
from vitrine.monitoring.drift import Compared, Comparison, compare
from vitrine.monitoring.limits import Limits
from vitrine.monitoring.reference import SPLITS, Reference
from vitrine.monitoring.window import Window

PAGE = "index.html"
MARKDOWN = "monitor.md"
METRICS = "metrics.json"
COLUMNS = ("what", "result", "distance", "limit", "p-value", "images", "what changed most")
NUMBERS = COLUMNS[2:6]
NOTHING = {"drift": False, "enough": False}
"""`Report.metrics` where there is no answer to compare."""


@dataclass(frozen=True, slots=True)
class Report:
    """A window of the log beside the reference.

    Args:
        window: What the service saw and answered.
        reference: What is normal.
        limits: When a difference is drift.
        compared: The differences.
    """

    window: Window
    reference: Reference
    limits: Limits
    compared: Compared

    @property
    def ordered(self) -> list[Comparison]:
        """The comparisons, drifted ones first."""
        return sorted(self.compared.comparisons, key=lambda one: not one.drifted)

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        if not self.compared.comparisons:
            return "Not enough to say."
        if not self.compared.drifted:
            return "No drift."
        return f"Drift: {', '.join(title(one.feature) for one in self.compared.drifted)}."

    @property
    def facts(self) -> list[str]:
        """What was compared with what and how, a sentence each."""
        window, sample = self.window, self.window.sample
        lines = [
            f"{sample.images:,} answers of version {window.version} (bundle "
            f"{window.bundle_digest[:12]}), {_time(window.first)} to {_time(window.last)} UTC.",
            f"Compared with what the same bundle answers for {self.reference.sample.images:,} "
            f"images of {' and '.join(SPLITS)} of the data {self.reference.data_digest[:12]}.",
            f"Drift is a distance of at least {self.limits.distance:g} ({self.limits.auc:g} for "
            f"the embedding) with a p-value below {self.limits.chance:g}, adjusted for the number "
            f"of features, on at least {self.limits.min_images:,} images.",
        ]
        if window.others:
            others = ", ".join(
                f"{n:,} of version {version}" for version, n in window.others.items()
            )
            lines.append(f"Left out are the answers of other models in that time: {others}.")
        return lines

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The cells of a table with `COLUMNS`."""
        rows: list[tuple[str, ...]] = [
            (
                title(one.feature),
                "DRIFT" if one.drifted else "no drift",
                f"{one.difference.effect:.3f}",
                f"{one.limit:g}",
                f"{one.difference.p_value:.1g}",
                f"{one.now:,}",
                one.difference.change,
            )
            for one in self.ordered
        ]
        rows += [
            (title(feature), "not compared", "", "", "", "", why)
            for feature, why in self.compared.skipped.items()
        ]
        return rows

    def describe(self, folder: Path) -> str:
        """Return the result for a terminal."""
        table = aligned([COLUMNS, *self.rows])
        return "\n".join([*self.facts, "", *table, "", self.verdict, f"Report: {folder / PAGE}"])

    def markdown(self) -> str:
        """Return the result for the description or a comment of a pull request."""
        facts = bullets(map(plain, self.facts))
        rows = table(COLUMNS, ([*map(plain, row)] for row in self.rows))
        return f"# Drift\n\n**{self.verdict}**\n\n{facts}\n\n{rows}\n"

    def metrics(self) -> dict[str, Any]:
        """Return every figure for JSON."""
        return {
            "drift": bool(self.compared.drifted),
            "enough": bool(self.compared.comparisons),
            "version": self.window.version,
            "bundle_digest": self.window.bundle_digest,
            "data_digest": self.reference.data_digest,
            "first": round(self.window.first, 3),
            "last": round(self.window.last, 3),
            "images": self.window.sample.images,
            "reference_images": self.reference.sample.images,
            "others": self.window.others,
            "limits": asdict(self.limits),
            "features": {
                one.feature: {
                    "effect": round(one.difference.effect, 6),
                    "limit": one.limit,
                    "p_value": float(f"{one.difference.p_value:.3g}"),
                    "drifted": one.drifted,
                    "images": one.now,
                }
                for one in self.compared.comparisons
            },
            "skipped": self.compared.skipped,
        }


def judge(window: Window, reference: Reference, limits: Limits) -> Report:
    """Compare a window with a reference.

    Raises:
        DataError: They are of different models, or their embeddings of different lengths.
    """
    if window.bundle_digest != reference.bundle_digest:
        raise DataError(
            f"the log has answers of version {window.version} (bundle "
            f"{window.bundle_digest[:12]}), but the reference is of bundle "
            f"{reference.bundle_digest[:12]}: name the model that you want with --model, or make "
            "a reference where artifacts/ has the bundle of the log"
        )
    sizes = [side.embeddings.shape[1] for side in (window.sample, reference.sample)]
    if all(sizes) and sizes[0] != sizes[1]:
        raise DataError(
            f"the embeddings of the log have {sizes[0]} numbers, but those of the reference "
            f"{sizes[1]}: the log or the reference is damaged; make the reference anew, or delete "
            "the lines of the log"
        )
    return Report(window, reference, limits, compare(reference.sample, window.sample, limits))


def title(feature: str) -> str:
    """Return the name of a feature as people read it."""
    return feature.replace("_", " ")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(" ", "minutes").removesuffix("+00:00")
