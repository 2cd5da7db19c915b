"""How a figure is written together with its interval."""

from collections.abc import Mapping


def with_interval(figures: Mapping[str, float], name: str, digits: int = 3) -> str:
    """Write a figure, and its interval where there is one as `<name>_low` and `<name>_high`."""
    value = f"{figures[name]:.{digits}f}"
    if f"{name}_low" not in figures:
        return value
    return f"{value} {in_brackets(figures[f'{name}_low'], figures[f'{name}_high'], digits)}"


def in_brackets(low: float, high: float, digits: int = 3) -> str:
    """Write an interval, with spaces that do not break: a narrow table would have a line a word."""
    return f"({low:.{digits}f}\u00a0to\u00a0{high:.{digits}f})"
