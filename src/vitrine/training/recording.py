"""What MLflow is told of a training: the data, and the numbers while it goes."""

from collections.abc import Callable
from typing import TypeVar

from vitrine import tracking
from vitrine.core.digests import data_digest
from vitrine.core.errors import DataError
from vitrine.core.layout import DATA_POINTER, artifacts
from vitrine.inputs.summary import Summary
from vitrine.training.history import Epoch
from vitrine.training.lines import say
from vitrine.training.watch import Point

Made = TypeVar("Made")
Learn = Callable[[Callable[[Epoch], None], Callable[[Point], None]], Made]
"""A training: calls the first after each epoch, the second within."""


def record_data(run: tracking.Run, summary: Summary) -> None:
    """Note which data a run learns from: by data.dvc, or by the shards where there is none."""
    try:
        run.log_dataset("data", data_digest(DATA_POINTER), str(DATA_POINTER))
    except DataError:
        run.log_dataset("prepared", summary.digest[:32], str(artifacts("prepare")))


def recorded(run: tracking.Run, learn: Learn[Made]) -> Made:
    """Train while the numbers go to a run; a server that is away stops nothing."""
    curves = tracking.Curves(run)

    def on_epoch(epoch: Epoch) -> None:
        curves.add(epoch.metrics, epoch.number, epoch.ended)

    def on_point(point: Point) -> None:
        curves.add(point.numbers, point.step)

    try:
        return learn(on_epoch, on_point)
    finally:
        if lost := curves.close():
            say(lost)
