"""The lines that a person reads while a search runs."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console


def say(line: str) -> None:
    """Print a line to stderr, where progress belongs."""
    Console(stderr=True).print(line, highlight=False, markup=False, soft_wrap=True)


def named(values: Mapping[str, Any]) -> str:
    """Return values with their keys, in a few words."""
    return ", ".join(f"{key} {short(value)}" for key, value in values.items())


def short(value: Any) -> str:
    """Return a value, a float in three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
