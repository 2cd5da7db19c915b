"""Telling images apart without a network: histograms of gradients and colours, a linear model."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vitrine.core.taxonomy import UNKNOWN, Head
from vitrine.inputs.shards import read_batches

CELL = 8
"""The side of a cell in pixels."""
DIRECTIONS = 9
LEVELS = 4
"""How many brightnesses of each of red, green and blue are told apart."""
STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""The values of C, the inverse of the regularisation, that are tried."""


def baseline(prepared: Path, head: Head) -> dict[str, float]:
    """Return accuracy and macro F1 on test of the linear model that is best on val."""
    train, val, test = (_split(prepared, split, head) for split in ("train", "val", "test"))
    models = [_fit(strength, *train) for strength in STRENGTHS]
    return _figures(max(models, key=lambda model: sum(_figures(model, *val).values())), *test)


def describe(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the features of images `(n, height, width, 3)`, a row each."""
    return np.concatenate([_gradients(images), _colours(images)], axis=1).astype(np.float32)


def _split(prepared: Path, split: str, head: Head) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rows, labels = [], []
    for batch in read_batches(prepared, split, 256):
        known = batch.labels[head] != UNKNOWN
        rows.append(describe(batch.images[known]))
        labels.append(batch.labels[head][known])
    return np.concatenate(rows), np.concatenate(labels)


def _gradients(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return histograms of oriented gradients (Dalal and Triggs 2005), blocks of 2×2 cells."""
    grey = images.mean(axis=3, dtype=np.float32) / 255
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    # Of an edge only the direction counts, not on which side it is dark; a gradient between two
    # directions is shared out between them.
    place = np.arctan2(down, right) / np.pi % 1 * DIRECTIONS
    below, share = np.floor(place).astype(int) % DIRECTIONS, place % 1
    cells = np.zeros((len(images), grey.shape[1] // CELL, grey.shape[2] // CELL, DIRECTIONS))
    for direction in range(DIRECTIONS):
        part = np.where(below == direction, 1 - share, 0)
        part += np.where((below + 1) % DIRECTIONS == direction, share, 0)
        cells[..., direction] = _sums(part * strength)
    blocks = np.concatenate(
        [cells[:, :-1, :-1], cells[:, :-1, 1:], cells[:, 1:, :-1], cells[:, 1:, 1:]], axis=3
    )
    for _ in range(2):
        norm = np.linalg.norm(blocks, axis=3, keepdims=True)
        blocks = np.minimum(blocks / np.maximum(norm, 1e-3), 0.2)
    return blocks.reshape(len(images), -1).astype(np.float32)


def _sums(values: NDArray[np.float32]) -> NDArray[np.float32]:
    count, height, width = values.shape
    whole = values[:, : height // CELL * CELL, : width // CELL * CELL]
    cells = whole.reshape(count, height // CELL, CELL, width // CELL, CELL)
    summed: NDArray[np.float32] = cells.sum(axis=(2, 4))
    return summed


def _colours(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the root of the share of each colour in each quarter."""
    levels = images // (256 // LEVELS)
    colours = (levels[..., 0].astype(int) * LEVELS + levels[..., 1]) * LEVELS + levels[..., 2]
    height, width = colours.shape[1] // 2, colours.shape[2] // 2
    parts = []
    for top in (0, height):
        for left in (0, width):
            quarter = colours[:, top : top + height, left : left + width].reshape(len(images), -1)
            counts = [np.bincount(one, minlength=LEVELS**3) for one in quarter]
            parts.append(np.sqrt(np.stack(counts) / quarter.shape[1]))
    return np.concatenate(parts, axis=1).astype(np.float32)


def _fit(strength: float, rows: NDArray[Any], labels: NDArray[Any]) -> Any:
    linear = LogisticRegression(C=strength, max_iter=300)
    return make_pipeline(StandardScaler(), linear).fit(rows, labels)


def _figures(model: Any, rows: NDArray[Any], labels: NDArray[Any]) -> dict[str, float]:
    answers = model.predict(rows)
    # As Vitrine does: the mean over the classes that there are.
    macro = f1_score(labels, answers, labels=np.unique(labels), average="macro", zero_division=0)
    return {"accuracy": float(np.mean(answers == labels)), "macro_f1": float(macro)}
