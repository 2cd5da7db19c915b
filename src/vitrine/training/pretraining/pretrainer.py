"""The loop over the epochs of a pretraining."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from vitrine.core.errors import ModelError, PreparedDataError
from vitrine.core.params import PretrainParams, TrainParams
from vitrine.core.taxonomy import Head
from vitrine.inputs.summary import Summary
from vitrine.models import build
from vitrine.models.simclr import SimCLR
from vitrine.training.beginning import begin, within_memory
from vitrine.training.checkpoint import Checkpoint
from vitrine.training.fused import fused
from vitrine.training.history import Epoch
from vitrine.training.optimizer import learning_rate
from vitrine.training.precision import computing
from vitrine.training.pretraining.display import PretrainingDisplay, PretrainingWatch
from vitrine.training.pretraining.images import batches, count
from vitrine.training.pretraining.neighbours import knn_accuracy
from vitrine.training.watch import Point

PROBED = 5
"""Labels are asked after the first epoch, the last one, and every so many between."""
COLLAPSED = 0.05
"""A lower spread says that the network answers nearly the same for every image."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One pretraining.

    Args:
        params: Its settings.
        train: Those of the training that follows: its backbone, its precision, and whether the
            same seed must give the same weights.
        prepared: The folder of prepared shards.
        checkpoint: Where the state is kept after each epoch, and looked for at the start.
    """

    params: PretrainParams
    train: TrainParams
    prepared: Path
    checkpoint: Path


@dataclass(frozen=True, slots=True)
class Pretrained:
    """What a pretraining made.

    Args:
        model: The network up to its embedding: float32, not compiled.
        history: All epochs, also those before a resumption.
        resumed: How many epochs an earlier, interrupted run had finished.
        precision: In which precision it was trained, in words.
    """

    model: keras.Model
    history: list[Epoch]
    resumed: int
    precision: str


def pretrain(
    plan: Plan, on_epoch: Callable[[Epoch], None], on_point: Callable[[Point], None]
) -> Pretrained:
    """Let the backbone learn from all images of train, whether they have a label or not.

    Args:
        plan: What to train.
        on_epoch: Called after each epoch, when its checkpoint is on disk; may raise to stop.
        on_point: Called within the epochs, every few seconds.

    Raises:
        ModelError: The network cannot be built, diverges, collapses, or does not fit into the
            memory.
        PreparedDataError: The shards are missing, or train has fewer than two images.
    """
    backbone = plan.train.backbone
    begin(plan.params.seed, deterministic=plan.train.deterministic)
    with (
        computing(plan.train.precision, backbone) as precision,
        within_memory(backbone, "pretrain", plan.params.batch_size),
    ):
        pretrainer = Pretrainer(plan)
        pretrainer.run(on_epoch, on_point)
        weights = pretrainer.encoder.get_weights()
    # Built anew: what was trained may carry a mixed precision.
    keras.backend.clear_session()
    model = encoder(backbone, Summary.load(plan.prepared))
    model.set_weights(weights)
    return Pretrained(model, pretrainer.history, pretrainer.resumed, precision)


def encoder(backbone: str, summary: Summary) -> keras.Model:
    """Build a network up to its embedding, with random weights.

    Args:
        backbone: One of `vitrine.models.BACKBONES`.
        summary: Of the shards, for the images' shape.

    Raises:
        ModelError: The backbone is unknown, or cannot take images of this size.
    """
    classes: dict[Head, int] = {"category": 1}
    whole = build(backbone, image_shape=summary.image_shape, classes=classes, dropout=0.0)
    return keras.Model(whole.input, whole.get_layer("embedding").output, name=backbone)


class Pretrainer:
    """Trains one encoder; the last epoch's weights are the ones to keep.

    Args:
        plan: What to train.

    Raises:
        ModelError: The network cannot be built.
        PreparedDataError: The shards are missing, or train has fewer than two images.
    """

    def __init__(self, plan: Plan) -> None:
        params, summary = plan.params, Summary.load(plan.prepared)
        self._plan, self._params = plan, params
        images = count(summary)
        if images < 2:
            raise PreparedDataError(
                f"pretraining tells images from each other, but train has {images}: lower "
                "prepare.val_share, add images, or set pretrain.method to none"
            )
        # A smaller last batch would be an easier one.
        self._steps = max(1, images // params.batch_size)
        self._images = min(images, self._steps * params.batch_size)
        self.encoder = fused(encoder(plan.train.backbone, summary))
        self._model = SimCLR(
            self.encoder,
            zoom=params.zoom,
            color=params.color,
            projection=params.projection,
            temperature=params.temperature,
            seed=params.seed,
        )
        self._model.compile(self._optimizer())
        # Before the first step, so that a checkpoint has its place to go to.
        self._model.optimizer.build(self._model.trainable_variables)
        self._checkpoint = Checkpoint(plan.checkpoint)
        stored = self._checkpoint.restore(self._model)
        self.history: list[Epoch] = stored[1] if stored else []
        self.resumed = len(self.history)

    def _optimizer(self) -> keras.optimizers.Optimizer:
        params = self._params
        steps = self._steps * params.epochs
        rate = learning_rate(params.learning_rate, steps=steps, warmup_share=params.warmup_share)
        made = keras.optimizers.AdamW(rate, weight_decay=params.weight_decay)
        vectors = [one for one in self._model.trainable_variables if one.ndim < 2]
        made.exclude_from_weight_decay(vectors)
        return made

    def run(self, on_epoch: Callable[[Epoch], None], on_point: Callable[[Point], None]) -> None:
        """Train until the epochs are over.

        Args:
            on_epoch: Called after each epoch, when its checkpoint is on disk; may raise to stop.
            on_point: Called within the epochs, every few seconds.

        Raises:
            ModelError: The loss is no number any more, or the network answers the same for all.
            PreparedDataError: A shard is missing.
        """
        epochs = self._params.epochs
        size = min(self._images, self._params.batch_size)
        with PretrainingDisplay(epochs, self._images, self.resumed) as display:
            watch = PretrainingWatch(display, on_point, images=self._images, batch_size=size)
            for number in range(self.resumed + 1, epochs + 1):
                epoch = self._epoch(number, watch)
                self.history.append(epoch)
                self._checkpoint.save(self._model, self._model.get_weights(), self.history)
                display.epoch(epoch)
                on_epoch(epoch)

    def _epoch(self, number: int, watch: PretrainingWatch) -> Epoch:
        # A seed an epoch, and not one sequence through all, makes a resumed training the same one.
        seed = self._params.seed + 1000 * number
        images = batches(self._plan.prepared, batch_size=self._params.batch_size, seed=seed)
        watch.number = number
        begun = time.perf_counter()
        logs = self._model.fit(
            images.take(self._steps), shuffle=False, verbose=0, callbacks=[watch]
        ).history
        seconds = time.perf_counter() - begun
        metrics = {name: float(values[-1]) for name, values in logs.items()}
        if metrics["spread"] < COLLAPSED:
            raise ModelError(
                f"the pretraining collapsed: after epoch {number} all images look alike to the "
                f"network (spread {metrics['spread']:.3f} of 1); lower pretrain.learning_rate or "
                "pretrain.zoom, or raise pretrain.batch_size"
            )
        if number in (1, self._params.epochs) or number % PROBED == 0:
            metrics |= knn_accuracy(self.encoder, self._plan.prepared)
        return Epoch(number, metrics, self._images / seconds)
