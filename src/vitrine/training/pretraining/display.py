"""What a person sees of a pretraining: a bar while it runs, a line an epoch."""

import math
import time
from types import TracebackType
from typing import Self

import keras

from vitrine.core.errors import ModelError
from vitrine.core.progress import bar
from vitrine.core.taxonomy import HEADS
from vitrine.training.history import Epoch

LOOK = 0.5
"""Seconds between two looks at the loss: to read it, the host must wait for the device."""


class Display(keras.callbacks.Callback):  # type: ignore[misc]
    """A bar over all steps and lines of epochs; it stops when the loss is no number any more.

    Args:
        epochs: How many there will be.
        steps: Batches in one of them.
        done: Epochs that an earlier run finished.
    """

    def __init__(self, epochs: int, steps: int, done: int) -> None:
        super().__init__()
        self._epochs, self._steps, self._done = epochs, steps, done
        self._looked = time.perf_counter()
        self._bar = bar()
        self._task = self._bar.add_task(
            "Pretraining", total=epochs * steps, completed=done * steps, note=""
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def on_train_batch_begin(self, batch: int, **_: object) -> None:
        """Look at the loss of the batches before, now and then.

        Raises:
            ModelError: It is infinite or not a number.
        """
        # Not `on_train_batch_end`, before which Keras itself reads the loss each time.
        if batch and time.perf_counter() - self._looked >= LOOK:
            self._look(batch, float(self.model.get_metrics_result()["loss"]))

    def on_epoch_end(self, _: int, logs: dict[str, float]) -> None:
        """Look at the loss of the epoch.

        Raises:
            ModelError: It is infinite or not a number.
        """
        self._look(self._steps, logs["loss"])

    def _look(self, batches: int, loss: float) -> None:
        if not math.isfinite(loss):
            raise ModelError(
                f"the loss became {loss} by batch {batches} of epoch {self._done + 1}: the "
                "pretraining diverged; lower pretrain.learning_rate, or raise pretrain.warmup_share"
            )
        self._looked = time.perf_counter()
        completed = self._done * self._steps + batches
        self._bar.update(self._task, completed=completed, note=f"loss {loss:.3f}")

    def epoch(self, epoch: Epoch) -> None:
        """Print the line of a finished epoch."""
        self._done = epoch.number
        metrics = epoch.metrics
        probes = [
            f", {head} by neighbours {metrics[name]:.3f}"
            for head in HEADS
            if (name := f"val_{head}_knn_accuracy") in metrics
        ]
        self._bar.console.print(
            f"epoch {epoch.number}/{self._epochs}: loss {metrics['loss']:.3f}, "
            f"spread {metrics['spread']:.2f}{''.join(probes)}, "
            f"{epoch.images_per_second:.0f} images/s",
            highlight=False,
            soft_wrap=True,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
