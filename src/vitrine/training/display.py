"""What a person sees of a training: a bar while it runs, a line an epoch."""

import math
from types import TracebackType
from typing import Self

import keras
from rich.progress import TaskID

from vitrine.core.errors import ModelError
from vitrine.core.progress import bar
from vitrine.training.history import Epoch


class Display:
    """A bar over all steps, with images a second; where nobody watches, only the lines.

    Args:
        epochs: How many there will be.
        steps: Batches in one of them.
        done: Epochs that an earlier run finished.
    """

    def __init__(self, epochs: int, steps: int, done: int) -> None:
        self._epochs = epochs
        self._bar = bar()
        self._task: TaskID = self._bar.add_task(
            "Training", total=epochs * steps, completed=done * steps, note=""
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def step(self, loss: float) -> None:
        """Count one batch and show the loss so far."""
        self._bar.update(self._task, advance=1, note=f"loss {loss:.3f}")

    def epoch(self, epoch: Epoch) -> None:
        """Print the line of a finished epoch."""
        metrics = epoch.metrics
        self._bar.console.print(
            f"epoch {epoch.number}/{self._epochs}: loss {metrics['loss']:.3f}, "
            f"val loss {metrics['val_loss']:.3f}, val macro F1 {epoch.score:.3f}, "
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


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Moves the bar, and stops a training whose loss is no number any more.

    Args:
        display: The bar.
    """

    def __init__(self, display: Display) -> None:
        super().__init__()
        self._display = display

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the loss after a batch.

        Raises:
            ModelError: It is infinite or not a number.
        """
        loss = (logs or {})["loss"]
        if not math.isfinite(loss):
            raise ModelError(
                f"the loss became {loss} in batch {batch + 1} of the epoch: the training "
                "diverged; lower train.learning_rate, or raise train.warmup_share"
            )
        self._display.step(loss)
