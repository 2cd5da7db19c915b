"""The time that a search has taken, by all that have worked on it."""

from collections.abc import Iterable

Span = tuple[float, float]
"""When a trial began and when it ended or was last heard of: seconds since 1970."""


def spent(spans: Iterable[Span]) -> float:
    """Return the seconds in which at least one trial was training.

    Trials beside each other count once, and the time in which nobody worked does not count.
    """
    total, until = 0.0, float("-inf")
    for begun, ended in sorted(spans):
        total += max(0.0, ended - max(begun, until))
        until = max(until, ended)
    return total
