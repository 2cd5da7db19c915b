"""Claim: the curves that MLflow gets while a network trains cost at most 1 % of the time.

Run: `python benchmarks/curves.py`. A training of small_resnet on invented images, 80×64 pixels,
against a real MLflow server on the same machine. Three things are measured: how long the training
waits to hand its numbers over, how much of a CPU the thread needs that sends them, and how long the
end waits for the last ones.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from constant import job
from measure import where

from vitrine import tracking
from vitrine.training.fit import fit

# isort: split
# Found through `measure`.
from servers import mlflow_server


class Stopwatch:
    """Adds up the seconds that a function is waited for."""

    def __init__(self) -> None:
        self.seconds, self.calls = 0.0, 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what the block takes."""
        begun = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - begun
        self.calls += 1


def main() -> None:
    """Print the seconds of each, and their share of the training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--images", type=int, default=5600)
    options = parser.parse_args()
    print(where())
    with tempfile.TemporaryDirectory() as name, mlflow_server(Path(name)) as server:
        os.environ["MLFLOW_TRACKING_URI"] = server.address
        shards = Path(name) / "prepare"
        training = job(shards, (80, 64), options.images, {"epochs": options.epochs})
        with tracking.pipeline_run(None, {}) as run:
            curves, handing, ending = tracking.Curves(run), Stopwatch(), Stopwatch()
            spent = _cpu_clock("curves")

            def on_point(step: int, **numbers: float) -> None:
                with handing.running():
                    curves.add(numbers, step)

            begun = time.perf_counter()
            fit(
                training,
                lambda epoch: on_point(epoch.number, **epoch.metrics),
                lambda point: on_point(
                    point.step,
                    batch_loss=point.loss,
                    learning_rate=point.learning_rate,
                    images_per_second=point.images_per_second,
                ),
            )
            seconds, sending = time.perf_counter() - begun, spent()
            with ending.running():
                lost = curves.close()
    print(f"training: {seconds:.1f} s, {handing.calls} times numbers for MLflow")
    print(lost or "none was lost")
    for what, taken in {
        "the training waits while it hands them over": handing.seconds,
        "CPU of the thread that sends them": sending,
        "the end waits for the last ones": ending.seconds,
    }.items():
        print(f"{what}: {taken:.3f} s, {taken / seconds:.2%}")


def _cpu_clock(name: str) -> Callable[[], float]:
    (thread,) = (one for one in threading.enumerate() if one.name == name)
    clock = time.pthread_getcpuclockid(thread.ident or 0)
    return lambda: time.clock_gettime(clock)


if __name__ == "__main__":
    main()
