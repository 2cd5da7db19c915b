"""The loop over the epochs."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from vitrine.core.errors import PreparedDataError
from vitrine.core.params import TrainParams
from vitrine.core.taxonomy import HEADS, Head
from vitrine.inputs.pipeline import dataset
from vitrine.inputs.summary import Summary
from vitrine.models import build, transfer
from vitrine.models.augmentation import Augmentation
from vitrine.models.losses import MaskedAccuracy, MaskedCrossentropy
from vitrine.training.checkpoint import Checkpoint, Weights
from vitrine.training.display import Display, Watch
from vitrine.training.history import Epoch, best, waited
from vitrine.training.optimizer import optimizer
from vitrine.training.scoring import validate
from vitrine.training.start import same_labels


@dataclass(frozen=True, slots=True)
class Job:
    """One training.

    Args:
        params: Its settings. Of `weights` only imagenet counts here.
        prepared: The folder of prepared shards.
        start: A .keras file to begin with.
        limit: At most this many images of train.
        checkpoint: Where the state is kept after each epoch, and looked for at the start.
    """

    params: TrainParams
    prepared: Path
    start: Path | None = None
    limit: int | None = None
    checkpoint: Path | None = None


def network(params: TrainParams, summary: Summary, *, pretrained: bool) -> keras.Model:
    """Build the network for the prepared shards, with ImageNet's weights or random ones.

    Raises:
        ModelError: It cannot be built.
    """
    return build(
        params.backbone,
        image_shape=summary.image_shape,
        classes={head: len(summary.taxonomy.names(head)) for head in HEADS},
        dropout=params.dropout,
        weights="imagenet" if pretrained else "none",
    )


class Trainer:
    """Trains one network and keeps the weights of its best epoch.

    Args:
        job: What to train.

    Raises:
        ModelError: The network cannot be built.
        PreparedDataError: The shards are missing, or train is empty.
    """

    def __init__(self, job: Job) -> None:
        params, summary = job.params, Summary.load(job.prepared)
        self._job, self._params = job, params
        images = min(summary.splits["train"].images, job.limit or math.inf)
        if not images:
            raise PreparedDataError(
                "the train split is empty: lower prepare.val_share or label more images"
            )
        self._images = int(images)
        self._steps = math.ceil(images / params.batch_size)
        self._epochs = max(params.epochs, math.ceil(params.min_steps / self._steps))
        self._model = network(params, summary, pretrained=params.weights == "imagenet")
        self.transferred = (
            transfer(self._model, job.start, same_labels(job.start, summary.taxonomy))
            if job.start
            else None
        )
        self._weights: dict[Head, float] = {
            "style": params.style_weight,
            "category": params.category_weight,
        }
        self._compile()
        self._checkpoint = Checkpoint(job.checkpoint) if job.checkpoint else None
        stored = self._checkpoint.restore(self._model) if self._checkpoint else None
        self.best: Weights = stored[0] if stored else self._model.get_weights()
        self.history: list[Epoch] = stored[1] if stored else []
        self.resumed = len(self.history)

    def _compile(self) -> None:
        heads: list[Head] = list(self._model.output)
        params = self._params
        variables = self._model.trainable_variables
        self._model.compile(
            optimizer(params, steps=self._steps * self._epochs, variables=variables),
            loss={head: MaskedCrossentropy(params.label_smoothing) for head in heads},
            loss_weights={head: self._weights[head] for head in heads},
            metrics={head: [MaskedAccuracy(name="accuracy")] for head in heads},
        )
        # Before the first step, so that a checkpoint has its place to go to.
        self._model.optimizer.build(variables)

    def run(self, on_epoch: Callable[[Epoch], None]) -> None:
        """Train until the epochs are over or the patience is.

        Args:
            on_epoch: Called after each epoch, when its checkpoint is on disk; may raise to stop.

        Raises:
            ModelError: The loss is no number any more.
            PreparedDataError: A shard is missing, or val has no label.
        """
        validation = self._batches("val")
        with Display(self._epochs, self._steps, self.resumed) as display:
            for number in range(self.resumed + 1, self._epochs + 1):
                if waited(self.history) >= self._params.patience:
                    break
                epoch = self._epoch(number, validation, display)
                self.history.append(epoch)
                if best(self.history) is epoch:
                    self.best = self._model.get_weights()
                if self._checkpoint:
                    self._checkpoint.save(self._model, self.best, self.history)
                display.epoch(epoch)
                on_epoch(epoch)

    def _epoch(self, number: int, validation: tf.data.Dataset, display: Display) -> Epoch:
        # A seed an epoch, and not one sequence through all, makes a resumed training the same one.
        seed = self._params.seed + 1000 * number
        batches = self._batches(
            "train", shuffle_seed=seed, augment=Augmentation(self._params.augment, seed)
        )
        begun = time.perf_counter()
        logs = self._model.fit(
            batches, shuffle=False, verbose=0, callbacks=[Watch(display)]
        ).history
        seconds = time.perf_counter() - begun
        metrics = {self._name(name): float(values[-1]) for name, values in logs.items()}
        metrics |= validate(self._model, validation, self._weights, self._params.label_smoothing)
        return Epoch(number, metrics, self._images / seconds)

    def _name(self, metric: str) -> str:
        # With a single output Keras leaves its name out.
        return f"{self._model.output_names[0]}_accuracy" if metric == "accuracy" else metric

    def _batches(
        self,
        split: str,
        shuffle_seed: int | None = None,
        augment: Augmentation | None = None,
    ) -> tf.data.Dataset:
        batches = dataset(
            self._job.prepared,
            split,
            batch_size=self._params.batch_size,
            shuffle_seed=shuffle_seed,
            augment=augment,
            limit=self._job.limit if split == "train" else None,
        )
        heads = list(self._model.output)
        return batches.map(lambda images, labels: (images, {head: labels[head] for head in heads}))
