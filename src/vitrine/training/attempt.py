"""One trial of a search, as it is reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vitrine.training.lines import named

State = Literal["complete", "pruned", "fail"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A trial that has come to its end.

    Args:
        number: 1 for the one with the values of train.
        state: `pruned` was ended before its last epoch, because it was hopeless or time was over.
        score: The mean of the heads' macro F1 on val; of the last epoch where it was pruned.
        values: What it tried, by key of train.
        seconds: How long it trained.
        note: Why it was not finished; empty if it was.
    """

    number: int
    state: State
    score: float | None
    values: Mapping[str, Any]
    seconds: float
    note: str

    def describe(self) -> str:
        """Return what it tried and what came of it, in a few words."""
        if self.state == "complete":
            result = f"val macro F1 {self.score:.3f}"
        elif self.state == "pruned" and self.score is not None:
            result = f"ended at val macro F1 {self.score:.3f}, {self.note}"
        else:
            result = f"{'failed' if self.state == 'fail' else 'ended'}, {self.note}"
        return f"{named(self.values)}: {result}"


def best_so_far(attempts: Sequence[Attempt]) -> list[tuple[int, float]]:
    """Return the number of each finished trial with the best score up to it."""
    found: list[tuple[int, float]] = []
    for attempt in attempts:
        if attempt.state == "complete" and attempt.score is not None:
            before = found[-1][1] if found else attempt.score
            found.append((attempt.number, max(before, attempt.score)))
    return found
