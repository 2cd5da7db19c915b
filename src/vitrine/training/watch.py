"""What is looked at within an epoch: whether the loss is a number, and how fast it goes."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import keras

from vitrine.core.errors import ModelError
from vitrine.training.display import Display

LOOK = 0.5
"""Seconds between two looks at the loss."""
POINT = 10.0
"""Seconds of training between two points of a curve."""


@dataclass(frozen=True, slots=True)
class Point:
    """A few seconds of a training.

    Args:
        step: Batches since the beginning of the training.
        loss: The mean loss of an image.
        learning_rate: Of the step after it.
        images_per_second: Without validation.
    """

    step: int
    loss: float
    learning_rate: float
    images_per_second: float

    @property
    def numbers(self) -> dict[str, float]:
        """What is logged of it, by name."""
        return {
            "batch_loss": self.loss,
            "learning_rate": self.learning_rate,
            "images_per_second": self.images_per_second,
        }


@dataclass(slots=True)
class _Stretch:
    """What has been trained since the last point."""

    loss: float = 0.0
    images: int = 0
    seconds: float = 0.0


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Moves the bar, draws the curves, and stops a training whose loss is no number any more.

    It looks at the loss a few times a second and not after each batch: to read it, the host must
    wait for the device, which has then nothing queued to go on with. One is used for all epochs.

    Args:
        display: The bar.
        on_point: Told each `POINT` seconds of training what has happened since.
        images: In an epoch.
        batch_size: Images in a batch, but for the last.

    Attributes:
        number: Of the epoch, 1 for the first; to be set before it begins.
    """

    STAGE = "train"

    def __init__(
        self, display: Display, on_point: Callable[[Point], None], *, images: int, batch_size: int
    ) -> None:
        super().__init__()
        self._display, self._on_point = display, on_point
        self._images, self._batch_size = images, batch_size
        self._stretch = _Stretch()
        self._seen, self._loss, self._looked = 0, 0.0, 0.0
        self.number = 0

    def on_train_batch_begin(self, batch: int, **_: object) -> None:
        """Look at the batches before this one, if it is time to.

        Not `on_train_batch_end`, before which Keras itself reads the loss each time.

        Raises:
            ModelError: The loss is infinite or not a number.
        """
        if not batch:
            self._seen, self._loss, self._looked = 0, 0.0, time.perf_counter()
        elif time.perf_counter() - self._looked >= LOOK:
            (tracker,) = (metric for metric in self.model.metrics if metric.name == "loss")
            self._look(batch, float(tracker.result()))

    def on_epoch_end(self, _: int, logs: dict[str, float]) -> None:
        """Look at the rest of the epoch.

        Raises:
            ModelError: The loss is infinite or not a number.
        """
        self._look(math.ceil(self._images / self._batch_size), logs["loss"])

    def _look(self, batches: int, loss: float) -> None:
        if not math.isfinite(loss):
            raise ModelError(
                f"the loss became {loss} by batch {batches} of epoch {self.number}: the "
                f"{self.STAGE}ing diverged; lower {self.STAGE}.learning_rate, or raise "
                f"{self.STAGE}.warmup_share"
            )
        seen, now = min(self._images, batches * self._batch_size), time.perf_counter()
        self._stretch.images += seen - self._seen
        # The loss that Keras tells is the mean of the epoch so far.
        self._stretch.loss += loss * seen - self._loss * self._seen
        self._stretch.seconds += now - self._looked
        self._seen, self._loss, self._looked = seen, loss, now
        self._display.show(self.number, seen, loss)
        if self._stretch.seconds >= POINT:
            self._tell(batches)

    def _tell(self, batches: int) -> None:
        stretch, self._stretch = self._stretch, _Stretch()
        before = (self.number - 1) * math.ceil(self._images / self._batch_size)
        self._on_point(
            Point(
                before + batches,
                stretch.loss / stretch.images,
                float(self.model.optimizer.learning_rate),
                stretch.images / stretch.seconds,
            )
        )
