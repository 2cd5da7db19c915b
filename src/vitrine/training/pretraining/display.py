"""What a person sees of a pretraining: the bar of a training, with lines of its own."""

import math

from vitrine.core.errors import ModelError
from vitrine.core.taxonomy import HEADS
from vitrine.training.display import Display
from vitrine.training.history import Epoch
from vitrine.training.watch import Watch


class PretrainingDisplay(Display):
    """A bar over the images of all epochs; where nobody watches, only the lines.

    Args:
        epochs: How many there will be.
        images: Images in one of them.
        done: Epochs that an earlier run finished.
    """

    def __init__(self, epochs: int, images: int, done: int) -> None:
        super().__init__(epochs, images, done)
        self._bar.update(self._task, description="Pretraining")

    def epoch(self, epoch: Epoch) -> None:
        """Print the line of a finished epoch."""
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


class PretrainingWatch(Watch):
    """Moves the bar, draws the curves, and stops a pretraining whose loss is no number any more."""

    def _look(self, batches: int, loss: float) -> None:
        if not math.isfinite(loss):
            raise ModelError(
                f"the loss became {loss} by batch {batches} of epoch {self.number}: the "
                "pretraining diverged; lower pretrain.learning_rate, or raise pretrain.warmup_share"
            )
        super()._look(batches, loss)
