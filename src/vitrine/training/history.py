"""What a training has gone through, epoch by epoch."""

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO

SCORE = "val_macro_f1"
"""The measure that chooses the best epoch: the mean over the heads, on the val split."""


def _now() -> int:
    return int(time.time() * 1000)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the train split, and what the val split said after it.

    Args:
        number: 1 for the first.
        metrics: By name: `loss`, `val_loss`, `val_style_macro_f1`, `val_macro_f1` …
        images_per_second: Of training, without validation.
        ended: When it was over, in milliseconds since 1970; now, but for those of a checkpoint.
    """

    number: int
    metrics: dict[str, float]
    images_per_second: float
    ended: int = field(default_factory=_now)

    @property
    def score(self) -> float:
        """The measure that chooses the best epoch, 0 to 1."""
        return self.metrics[SCORE]


def best(history: Sequence[Epoch]) -> Epoch:
    """Return the epoch with the highest score, the first of equals."""
    return max(history, key=lambda epoch: epoch.score)


def waited(history: Sequence[Epoch]) -> int:
    """Return how many epochs have passed since the best one; 0 before the first."""
    return history[-1].number - best(history).number if history else 0


def as_csv(history: Sequence[Epoch], names: Sequence[str]) -> str:
    """Return a table of some metrics with a row an epoch; what was not measured is empty."""
    table = StringIO()
    csv.writer(table, lineterminator="\n").writerows(
        [["epoch", *names], *([e.number, *(e.metrics.get(n) for n in names)] for e in history)]
    )
    return table.getvalue()
