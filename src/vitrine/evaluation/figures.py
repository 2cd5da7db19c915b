"""The look that all pictures share, and how one becomes a PNG."""

import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitrine.core.files import atomic_file

INK = "#1f2933"
PALE = "#9aa5b1"
LINE = "#e4e7eb"
BLUE = "#1f6feb"
RED = "#c53030"
AMBER = "#d97706"

FAMILIES = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Microsoft YaHei",
)
"""Fonts by preference; the later ones, where installed, have the Chinese characters."""


def look() -> AbstractContextManager[None]:
    """Return a context in which new figures have the look of the project."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    settings: Any = {
        "font.family": [name for name in FAMILIES if name in installed],
        "font.size": 9,
        "text.color": INK,
        "text.parse_math": False,
        "axes.labelcolor": INK,
        "axes.edgecolor": PALE,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": INK,
        "ytick.color": INK,
        "figure.facecolor": "white",
        "figure.dpi": 110,
    }
    return mpl.rc_context(settings)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically. Characters that no installed font has become boxes."""
    with look(), atomic_file(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure.savefig(temporary, format="png")


def shorten(text: str, length: int) -> str:
    """Return a text of at most `length` characters, cut with an ellipsis."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def bare(axes: Axes) -> None:
    """Remove ticks and frame: for photographs."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
