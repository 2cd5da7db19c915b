"""Trainings in a clone of this repository: settings, stage by stage, minutes and figures."""

import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from measure import run

Settings = Mapping[str, Any]
"""Values by key of params.yaml, such as `train.augment.erasing`."""
BUDGET = {"train.min_steps": 0, "train.patience": 1000}
"""With these a training has as many epochs as it is given."""
BRIEF = {"tune.trials": 0, "evaluate.behaviour.images": 0, "evaluate.attack.images": 0}
"""No search, and of the evaluation only what is printed here."""
SLACK = 0.97
"""The share of a budget that is planned with."""


@dataclass(frozen=True)
class Training:
    """A training that has been judged on the test split.

    Args:
        epochs: How many it had.
        minutes: What `vitrine train` took, start and validation included.
        heads: The figures of each head: `accuracy`, `accuracy_low`, `macro_f1` …
    """

    epochs: int
    minutes: float
    heads: dict[str, dict[str, float]]


def configure(repository: Path, settings: Settings) -> None:
    """Write values into params.yaml."""
    path = repository / "params.yaml"
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key, value in settings.items():
        *parents, last = key.split(".")
        section = tree
        for parent in parents:
            section = section[parent]
        section[last] = value
    path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")


def has(repository: Path, settings: Settings) -> bool:
    """Say whether params.yaml has these values already."""
    path = repository / "params.yaml"
    before = path.read_text(encoding="utf-8")
    with _changed(repository, settings):
        return bool(yaml.safe_load(before) == yaml.safe_load(path.read_text(encoding="utf-8")))


def import_photos(repository: Path, folder: Path, limit: int = 8000) -> None:
    """Import catalogue photos: style = usage, category = articleType, no class of fewer than 10."""
    labels = ["--style", "usage", "--category", "articleType", "--min-images", "10"]
    importing = ["vitrine", "import", "fashion-product-images", str(folder.resolve()), *labels]
    run([*importing, "--limit", str(limit), "--replace"], repository)


def prepare(repository: Path, settings: Settings) -> None:
    """Change params.yaml for good, and make all that trainings need but the search's results."""
    configure(repository, {**BRIEF, **settings})
    stages(repository, "validate", "prepare", "tune")


def stages(repository: Path, *names: str) -> float:
    """Run stages one after another; return the minutes of all."""
    return sum(run(["vitrine", name], repository).seconds for name in names) / 60


def train(repository: Path, settings: Settings) -> float:
    """Run `train` with other values; return its minutes."""
    with _changed(repository, settings):
        return stages(repository, "train")


def judge(repository: Path, minutes: float) -> Training:
    """Export and evaluate what was trained in so many minutes."""
    stages(repository, "export", "evaluate")
    metrics = _read(repository / "reports/evaluate/metrics.json")
    heads = {head: metrics[head] for head in ("style", "category") if head in metrics}
    return Training(_read(repository / "reports/train/metrics.json")["epochs"], minutes, heads)


class Pace:
    """How many epochs a training gets into its minutes: a line through short trainings.

    Args:
        repository: Where the trainings run.
        settings: Of the training.
    """

    def __init__(self, repository: Path, settings: Settings) -> None:
        self._seen: list[tuple[int, float]] = []
        for epochs in (1, 3):
            changes = {**settings, **BUDGET, "train.epochs": epochs}
            self.saw(epochs, train(repository, changes))

    def saw(self, epochs: int, minutes: float) -> None:
        """Take note of another training."""
        self._seen.append((epochs, minutes))

    def epochs(self, minutes: float) -> int:
        """Return how many epochs end within some minutes; at least one."""
        counts, taken = np.array(self._seen).T
        each, start = np.polyfit(counts, taken, deg=1)
        return max(1, math.floor(float(SLACK * minutes - start) / float(each)))


def mean(values: Sequence[float]) -> str:
    """Return the mean of values, and their standard deviation where there are several."""
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def _changed(repository: Path, settings: Settings) -> Iterator[None]:
    path = repository / "params.yaml"
    before = path.read_text(encoding="utf-8")
    configure(repository, settings)
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")
