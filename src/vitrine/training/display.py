"""What a person sees of a training: a bar while it runs, a line an epoch."""

from types import TracebackType
from typing import Self

from rich.progress import ProgressColumn, Task, TaskID
from rich.text import Text

from vitrine.core.progress import bar
from vitrine.training.history import Epoch

WINDOW = 10.0
"""Over how many seconds the speed and the time left are estimated."""


class Speed(ProgressColumn):
    """How many images a second go through at present."""

    def render(self, task: Task) -> Text:
        """Return the column's text; nothing where no speed is known yet."""
        return Text("" if task.speed is None else f"{task.speed:.0f} images/s")


class Display:
    """A bar over the images of all epochs; where nobody watches, only the lines.

    Args:
        epochs: How many there will be.
        images: Images in one of them.
        done: Epochs that an earlier run finished.
    """

    DOING = "Training"

    def __init__(self, epochs: int, images: int, done: int) -> None:
        self._epochs, self._images = epochs, images
        self._bar = bar(Speed())
        self._bar.speed_estimate_period = WINDOW
        self._task: TaskID = self._bar.add_task(
            self.DOING, total=epochs * images, completed=done * images, note=""
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def show(self, number: int, images: int, loss: float) -> None:
        """Move the bar.

        Args:
            number: Of the epoch, 1 for the first.
            images: How many of its images have been learned from.
            loss: Their mean loss.
        """
        self._bar.update(
            self._task,
            completed=(number - 1) * self._images + images,
            note=f"epoch {number}/{self._epochs}, loss {loss:.3f}",
        )

    def epoch(self, epoch: Epoch) -> None:
        """Print the line of a finished epoch."""
        self._bar.console.print(
            f"epoch {epoch.number}/{self._epochs}: loss {epoch.metrics['loss']:.3f}, "
            f"{self._quality(epoch)}, {epoch.images_per_second:.0f} images/s",
            highlight=False,
            soft_wrap=True,
        )

    def _quality(self, epoch: Epoch) -> str:
        return f"val loss {epoch.metrics['val_loss']:.3f}, val macro F1 {epoch.score:.3f}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
