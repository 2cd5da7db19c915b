"""The results as CSV: for `dvc plots`, for spreadsheets; and every single answer as Parquet."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from vitrine.core.files import atomic_file
from vitrine.core.taxonomy import UNKNOWN, Head
from vitrine.evaluation.abstention import Covered
from vitrine.evaluation.answers import Answers, HeadAnswers
from vitrine.evaluation.metrics import ClassScore
from vitrine.evaluation.reliability import Bin
from vitrine.evaluation.slices import SliceScore


def write_confusion(path: Path, head: HeadAnswers) -> None:
    """Write one row an image: `actual,predicted`, the names of the classes."""
    pairs = zip(head.labels, head.answers, strict=True)
    rows = ((head.classes[truth], head.classes[answer]) for truth, answer in pairs)
    _write(path, ("actual", "predicted"), rows)


def write_reliability(path: Path, bins: Iterable[Bin]) -> None:
    """Write one row an interval of confidence: its mean confidence, its accuracy, its images."""
    rows = ((round(b.confidence, 6), round(b.accuracy, 6), b.images) for b in bins)
    _write(path, ("confidence", "accuracy", "images"), rows)


def write_coverage(path: Path, curve: Iterable[Covered]) -> None:
    """Write one row a threshold: the share of answers at or above it, their accuracy, itself."""
    rows = ((_rounded(c.coverage), _rounded(c.accuracy), _rounded(c.threshold)) for c in curve)
    _write(path, ("coverage", "accuracy", "threshold"), rows)


def write_per_class(path: Path, scores: Mapping[Head, list[ClassScore]]) -> None:
    """Write one row a class: its head, its measures with 95 % intervals and its main confusion."""
    columns = [field.name for field in fields(ClassScore)]
    rows = (
        (head, *(_rounded(getattr(score, column)) for column in columns))
        for head, of_head in scores.items()
        for score in of_head
    )
    _write(path, ("head", "class", *columns[1:]), rows)


def write_slices(path: Path, scores: Iterable[SliceScore]) -> None:
    """Write one row a head and slice: its images, its accuracy with 95 % interval, its lag."""
    columns = [field.name for field in fields(SliceScore)]
    rows = ([_rounded(getattr(score, column)) for column in columns] for score in scores)
    _write(path, columns, rows)


def write_answers(path: Path, answers: Answers) -> None:
    """Write one row an image: path and, by head, truth, answer and probabilities.

    Columns: `image`; `<head>` (null where unknown), `<head>_answer`, `<head>_probability` and
    `<head>_probabilities` (a list in output order).
    """
    columns: dict[str, Any] = {"image": answers.names}
    for head, probabilities in answers.probabilities.items():
        names = answers.taxonomy.names(head)
        labels = answers.labels[head]
        columns[head] = [None if label == UNKNOWN else names[label] for label in labels]
        columns[f"{head}_answer"] = [names[index] for index in probabilities.argmax(axis=1)]
        columns[f"{head}_probability"] = probabilities.max(axis=1)
        columns[f"{head}_probabilities"] = list(probabilities.astype(np.float32))
    with atomic_file(path) as temporary:
        pyarrow.parquet.write_table(pyarrow.table(columns), temporary)


def _rounded(value: float | str | None) -> float | str | None:
    return round(value, 6) if isinstance(value, float) else value


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
