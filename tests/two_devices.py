"""Trains on two devices, as far as TensorFlow is concerned, and on one.

A program of its own, because a process can divide its CPU only before it computes anything.

    python two_devices.py PREPARED SCRATCH

leaves what came of it in SCRATCH/found.json.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import tensorflow as tf

from clones import ROOT
from vitrine.core.params import Params, TrainParams, override
from vitrine.models.losses import MaskedCrossentropy
from vitrine.training import devices, watch
from vitrine.training.fit import Fitted, fit
from vitrine.training.history import Epoch
from vitrine.training.trainer import Job

TWO = ["CPU:0", "CPU:1"]
FAINT = [(0.3, 0.2), (0.3, 0.9), (0.0, 0.0)]
"""Masses of the only label of each device: less than 1 together, more, and none."""


def _divide_cpu() -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [half, half])


def _interrupt(epoch: Epoch) -> None:
    if epoch.number == 1:
        raise KeyboardInterrupt


def _fit(names: list[str], job: Job, on_epoch: Callable[[Epoch], None] = lambda _: None) -> Fitted:
    devices.gpus = lambda: names
    return fit(job, on_epoch)


def _difference(one: Fitted, other: Fitted) -> float:
    pairs = zip(one.model.get_weights(), other.model.get_weights(), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def _losses(fitted: Fitted) -> list[float]:
    return [epoch.metrics[name] for epoch in fitted.history for name in ("loss", "val_loss")]


def _shared_loss(masses: tuple[float, float]) -> float:
    """Return what two devices make of even logits for two classes and one label each."""
    strategy, loss = devices.strategy(), devices.SharedLoss(MaskedCrossentropy(0.0))

    def lose(targets: tf.Tensor) -> tf.Tensor:
        return loss(targets, tf.zeros((1, 2)))

    targets = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant([[masses[context.replica_id_in_sync_group], 0.0]])
    )
    parts = strategy.run(tf.function(lose), args=(targets,))
    return float(strategy.reduce(tf.distribute.ReduceOp.SUM, parts, axis=None))


def _measure(params: TrainParams, prepared: Path, scratch: Path) -> dict[str, object]:
    one = _fit([], Job(params, prepared))
    job = Job(params, prepared, checkpoint=scratch / "checkpoint.npz")
    with suppress(KeyboardInterrupt):
        _fit(TWO, job, _interrupt)
    two = _fit(TWO, job)
    normalising = override(params, {"backbone": "small_resnet", "epochs": 1, "batch_size": 12})
    weights = _fit(TWO, Job(normalising, prepared)).model.get_weights()
    return {
        "faint": [_shared_loss(masses) for masses in FAINT],
        "one": _losses(one),
        "two": _losses(two),
        "resumed": two.resumed,
        "difference": _difference(one, two),
        "finite": all(np.isfinite(values).all() for values in weights),
    }


def main() -> None:
    """Train, and write the figures to found.json."""
    prepared, scratch = map(Path, sys.argv[1:])
    _divide_cpu()
    watch.LOOK = watch.POINT = 0.0
    train = Params.load(ROOT / "params.yaml").train
    # Whole epochs in a batch, so that their order does not matter, and nothing drawn at random.
    changes = {"backbone": "simple_cnn", "weights": "none", "epochs": 2, "min_steps": 0}
    changes |= {"batch_size": 25, "dropout": 0.0, "warmup_share": 0.0, "precision": "float32"}
    changes |= {"ema_decay": 0.9, "augment": dict.fromkeys(train.augment.model_dump(), 0)}
    found = _measure(override(train, changes), prepared, scratch)
    (scratch / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
