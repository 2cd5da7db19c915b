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
from vitrine.models.losses import MaskedAccuracy, MaskedCrossentropy, log_prior
from vitrine.training.checkpoint import Checkpoint, Weights
from vitrine.training.devices import SharedLoss, divisible, strategy
from vitrine.training.display import Display
from vitrine.training.fused import fused
from vitrine.training.history import Epoch, best, waited
from vitrine.training.optimizer import averaged, optimizer
from vitrine.training.phases import Phase, freeze, phases
from vitrine.training.rates import shares
from vitrine.training.scoring import Validation
from vitrine.training.start import same_labels
from vitrine.training.watch import Point, Watch


@dataclass(frozen=True, slots=True)
class Job:
    """One training.

    Args:
        params: Its settings. Of `weights` only matters whether it is none, imagenet or champion.
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
        stochastic_depth=params.stochastic_depth,
        weights="imagenet" if pretrained else "none",
    )


class Trainer:
    """Trains one network and keeps the weights of its best epoch.

    Args:
        job: What to train.

    Raises:
        ModelError: The network cannot be built, or `TF_CONFIG` names several machines.
        PreparedDataError: The shards are missing, train is empty, or val has no label.
    """

    def __init__(self, job: Job) -> None:
        params, summary = job.params, Summary.load(job.prepared)
        self._job, self._params, self._summary = job, params, summary
        images = min(summary.splits["train"].images, job.limit or math.inf)
        if not images:
            raise PreparedDataError(
                "the train split is empty: lower prepare.val_share or label more images"
            )
        self._images = int(images)
        self._steps = math.ceil(images / params.batch_size)
        self._epochs = max(params.epochs, math.ceil(params.min_steps / self._steps))
        self._phases = phases(params, self._epochs)
        self._patience = round(params.patience * self._epochs / params.epochs)
        self._strategy = strategy()
        with self._strategy.scope():
            made = network(params, summary, pretrained=params.weights == "imagenet")
            self.transferred = (
                transfer(made, job.start, same_labels(job.start, summary.taxonomy))
                if job.start
                else None
            )
            self._model = fused(made)
        left = self.transferred.left if self.transferred else ()
        self._fresh = frozenset((*made.output, *left))
        weights: dict[Head, float] = {
            "style": params.style_weight,
            "category": params.category_weight,
        }
        self._weights = {head: weights[head] for head in self._model.output}
        self._validation = Validation(
            self._batches("val"), self._weights, self._params.label_smoothing
        )
        self._checkpoint = Checkpoint(job.checkpoint) if job.checkpoint else None
        self._restore()
        self.resumed = len(self.history)

    def _restore(self) -> None:
        """Take up the checkpoint in the phase that it was made in, or begin with the first one."""
        finished = self._checkpoint.finished() if self._checkpoint else 0
        self._enter(next(p for p in reversed(self._phases) if p.first <= max(1, finished)))
        stored = self._checkpoint.restore(self._model) if self._checkpoint else None
        if finished and not stored:
            self._enter(self._phases[0])
        self.best: Weights = stored[0] if stored else self._model.get_weights()
        self.history: list[Epoch] = stored[1] if stored else []

    def _enter(self, phase: Phase) -> None:
        params, model = self._params, self._model
        freeze(model, phase.frozen, self._fresh)
        with self._strategy.scope():
            model.compile(
                optimizer(
                    params,
                    steps=self._steps * phase.epochs,
                    variables=model.trainable_variables,
                    shares=shares(model, phase.rate_decay, self._fresh),
                ),
                loss={head: self._loss(head) for head in self._weights},
                loss_weights=dict(self._weights),
                metrics={head: [MaskedAccuracy(name="accuracy")] for head in self._weights},
                # XLA cannot place one compiled step on several devices.
                jit_compile="auto" if self._devices == 1 else False,
            )
            # Before the first step, so that a checkpoint has its place to go to.
            model.optimizer.build(model.trainable_variables)

    @property
    def _devices(self) -> int:
        return int(self._strategy.num_replicas_in_sync)

    def _loss(self, head: Head) -> keras.losses.Loss:
        counts = list(self._summary.splits["train"].counts[head].values())
        tau = self._params.logit_adjustment
        loss = MaskedCrossentropy(
            self._params.label_smoothing, log_prior(counts, tau) if tau else None
        )
        return loss if self._devices == 1 else SharedLoss(loss)

    def run(self, on_epoch: Callable[[Epoch], None], on_point: Callable[[Point], None]) -> None:
        """Train until the epochs are over or the patience is.

        Args:
            on_epoch: Called after each epoch, when its checkpoint is on disk; may raise to stop.
            on_point: Called within the epochs, every few seconds.

        Raises:
            ModelError: The loss is no number any more.
            PreparedDataError: A shard is missing.
        """
        with Display(self._epochs, self._images, self.resumed) as display:
            watch = Watch(
                display, on_point, images=self._images, batch_size=self._params.batch_size
            )
            for number in range(self.resumed + 1, self._epochs + 1):
                if self._patience_is_over():
                    break
                for phase in self._phases:
                    if phase.first == number > 1:
                        self._enter(phase)
                epoch = self._epoch(number, watch)
                self.history.append(epoch)
                if self._checkpoint:
                    self._checkpoint.save(self._model, self.best, self.history)
                display.epoch(epoch)
                on_epoch(epoch)

    def _patience_is_over(self) -> bool:
        # Heads that learn alone soon get no better: that says nothing of what comes after.
        alone = self._phases[-1].first - 1
        return min(waited(self.history), len(self.history) - alone) >= self._patience

    def _epoch(self, number: int, watch: Watch) -> Epoch:
        # A seed an epoch, and not one sequence through all, makes a resumed training the same one.
        seed = self._params.seed + 1000 * number
        batches = self._batches(
            "train", shuffle_seed=seed, augment=Augmentation(self._params.augment, seed)
        )
        if self._devices > 1:
            batches = divisible(batches, self._devices)
        watch.number = number
        begun = time.perf_counter()
        logs = self._model.fit(batches, shuffle=False, verbose=0, callbacks=[watch]).history
        seconds = time.perf_counter() - begun
        metrics = {self._name(name): float(values[-1]) for name, values in logs.items()}
        with averaged(self._model):
            metrics |= self._validation.measure(self._model)
            epoch = Epoch(number, metrics, self._images / seconds)
            if best([*self.history, epoch]) is epoch:
                self.best = self._model.get_weights()
        return epoch

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
