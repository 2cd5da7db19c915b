"""What a person sees of a pretraining: the bar of a training, with lines of its own."""

from vitrine.core.taxonomy import HEADS
from vitrine.training.display import Display
from vitrine.training.history import Epoch
from vitrine.training.watch import Watch


class PretrainingDisplay(Display):
    """A bar over the images of all epochs; where nobody watches, only the lines."""

    DOING = "Pretraining"

    def _quality(self, epoch: Epoch) -> str:
        metrics = epoch.metrics
        probes = [
            f", {head} by neighbours {metrics[name]:.3f}"
            for head in HEADS
            if (name := f"val_{head}_knn_accuracy") in metrics
        ]
        return f"spread {metrics['spread']:.2f}{''.join(probes)}"


class PretrainingWatch(Watch):
    """Moves the bar, draws the curves, and stops a pretraining whose loss is no number any more."""

    STAGE = "pretrain"
