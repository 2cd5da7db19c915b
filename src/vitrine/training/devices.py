"""The GPUs that a network is trained on."""

import json
import os
from functools import cache
from typing import Any

import keras
import tensorflow as tf

from vitrine.core.errors import ModelError
from vitrine.inputs.pipeline import WORKERS


def gpus() -> list[str]:
    """Return the GPUs that this process may use."""
    return [device.name for device in tf.config.list_logical_devices("GPU")]


def strategy() -> tf.distribute.Strategy:
    """Return how a network is trained here: on all GPUs together, or on the only device.

    On several, each holds a copy of the network and gets an equal part of each batch; normalising
    layers see only that part, and the running statistics are those of the first device.

    Raises:
        ModelError: `TF_CONFIG` names several machines.
    """
    _refuse_cluster()
    names = gpus()
    return _together(tuple(names)) if len(names) > 1 else tf.distribute.get_strategy()


@cache
def _together(names: tuple[str, ...]) -> tf.distribute.Strategy:
    # One for all trainings of a process: each numbers what its devices exchange from the same
    # number on, and a second one's would be mistaken for the first one's.
    return tf.distribute.MirroredStrategy(names)


def _refuse_cluster() -> None:
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {})
        machines = sum(len(addresses) for addresses in cluster.values())
    except (ValueError, AttributeError, TypeError):
        raise ModelError("TF_CONFIG is not what TensorFlow reads: correct or unset it") from None
    if machines > 1:
        raise ModelError(
            f"TF_CONFIG names {machines} machines, but one training runs on one machine: Keras "
            "cannot fit a network over several; unset TF_CONFIG and take one machine with several "
            "GPUs, or let each machine run trials of its own with tune.storage"
        )


def divisible(batches: tf.data.Dataset, parts: int) -> tf.data.Dataset:
    """Return batches that can be divided into equal parts.

    Missing images are repeated from the same batch, without a target, so that nothing is learned
    from them: a device without an image would make its running statistics no numbers. In the loss
    that is told of an epoch, such a batch counts with the repeated images.

    Args:
        batches: Images and by head the soft targets.
        parts: How many devices share a batch.
    """

    def fill(images: Any, targets: dict[str, Any]) -> Any:
        count = tf.shape(images)[0]
        missing = -count % parts
        again = tf.gather(images, tf.range(missing) % count)
        return tf.concat([images, again], 0), {
            head: tf.pad(rows, [[0, missing], [0, 0]]) for head, rows in targets.items()
        }

    return batches.map(fill, num_parallel_calls=WORKERS, deterministic=True)


class SharedLoss(keras.losses.Loss):  # type: ignore[misc]
    """What the images of one device add to the loss of a batch that several devices share.

    A loss is divided by the mass of its targets, so that the mean of the devices' losses is not the
    loss of the batch where one device has more labelled images than another. Keras adds the
    gradients of the devices up: loss · mass of this device / mass of all devices, each mass at
    least 1, as in the loss itself.

    Args:
        loss: Of the images of one device: their sum, divided by the mass of their targets or by 1,
            whichever is larger.
    """

    def __init__(self, loss: keras.losses.Loss) -> None:
        super().__init__(name=loss.name)
        self._own = loss

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Return one number for soft targets and logits `(batch, classes)` of one device."""
        loss, mass = self._own(y_true, y_pred), keras.ops.sum(y_true)
        device = tf.distribute.get_replica_context()
        # Keras also builds the loss outside of all devices, only to know its shape.
        whole = device.all_reduce(tf.distribute.ReduceOp.SUM, mass) if device else mass
        return loss * keras.ops.maximum(mass, 1) / keras.ops.maximum(whole, 1)
