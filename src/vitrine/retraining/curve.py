"""The course of a training, drawn in Mermaid: GitHub shows no pictures of ours in a comment."""

import csv
import math
from collections.abc import Iterable
from pathlib import Path

from vitrine.core.markdown import fenced
from vitrine.core.taxonomy import HEADS

_POINTS = 60
_NAMED = 20
"""Epochs that the axis names one by one."""
_COLORS = {"style": ("blue", "#0072b2"), "category": ("orange", "#d55e00")}


def curve(history: Path) -> str:
    """Return the macro F1 of both heads on the val split by epoch, as Markdown.

    Args:
        history: The history.csv of the stage train.

    Returns:
        A drawing and what its colours mean; empty where there are not two epochs to draw.
    """
    try:
        with history.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        epochs = [int(row["epoch"]) for row in rows]
        lines = {head: _scores(rows, head) for head in HEADS if f"val_{head}_macro_f1" in rows[0]}
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return ""
    if len(epochs) < 2 or not all(math.isfinite(score) for of in lines.values() for score in of):
        return ""
    # Mermaid spaces the points evenly, so the last one is at the end of the axis in any case.
    kept = _spread(len(epochs))
    series = [f"    line [{', '.join(f'{of[n]:.4f}' for n in kept)}]" for of in lines.values()]
    return f"{_legend(lines)}\n\n" + fenced(_chart(epochs, lines, series), "mermaid")


def _chart(epochs: list[int], heads: Iterable[str], series: list[str]) -> str:
    few = len(epochs) <= _NAMED
    axis = f"[{', '.join(map(str, epochs))}]" if few else f"{epochs[0]} --> {epochs[-1]}"
    palette = ", ".join(_COLORS[head][1] for head in heads)
    return "\n".join(
        [
            "---",
            "config:",
            "  themeVariables:",
            "    xyChart:",
            f'      plotColorPalette: "{palette}"',
            "---",
            "xychart-beta",
            f'    x-axis "epoch" {axis}',
            '    y-axis "macro F1 on val" 0 --> 1',
            *series,
        ]
    )


def _scores(rows: list[dict[str, str]], head: str) -> list[float]:
    return [float(row[f"val_{head}_macro_f1"]) for row in rows]


def _spread(count: int) -> list[int]:
    """Return at most `_POINTS` places, evenly from the first to the last."""
    points = min(count, _POINTS)
    return [round(n * (count - 1) / (points - 1)) for n in range(points)]


def _legend(heads: Iterable[str]) -> str:
    return ", ".join(f"{head} {_COLORS[head][0]}" for head in heads).capitalize() + "."
