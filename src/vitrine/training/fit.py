"""Fitting a network to the prepared shards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import tensorflow as tf

from vitrine.core.errors import ModelError
from vitrine.core.params import TrainParams
from vitrine.inputs.summary import Summary
from vitrine.models import Transfer
from vitrine.training.history import Epoch
from vitrine.training.precision import computing
from vitrine.training.trainer import Job, Trainer, network
from vitrine.training.watch import Point


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a training made.

    Args:
        model: The network with the weights of the best epoch: float32, not compiled.
        history: All epochs, also those before a resumption.
        resumed: How many epochs an earlier, interrupted run had finished.
        precision: In which precision it was trained, in words.
        transferred: Which layers began with the weights of another model, if any was given.
    """

    model: keras.Model
    history: list[Epoch]
    resumed: int
    precision: str
    transferred: Transfer | None


def fit(
    job: Job,
    on_epoch: Callable[[Epoch], None],
    on_point: Callable[[Point], None] = lambda _: None,
) -> Fitted:
    """Train until the epochs are over or the patience is.

    Args:
        job: What to train.
        on_epoch: Called after each epoch, when its checkpoint is on disk; may raise to stop.
        on_point: Called within the epochs, every few seconds.

    Raises:
        ModelError: The network cannot be built, diverges, or does not fit into the memory; or
            `TF_CONFIG` names several machines.
        PreparedDataError: The shards are missing, or train or val is empty.
    """
    _begin(job.params)
    with computing(job.params.precision, job.params.backbone) as precision, _memory(job.params):
        trainer = Trainer(job)
        trainer.run(on_epoch, on_point)
    # Built anew: what was trained may carry a mixed precision, which a bundle may not.
    keras.backend.clear_session()
    model = network(job.params, Summary.load(job.prepared), pretrained=False)
    model.set_weights(trainer.best)
    return Fitted(model, trainer.history, trainer.resumed, precision, trainer.transferred)


def _begin(params: TrainParams) -> None:
    # Some backbones number their layers by a count that goes on from network to network.
    keras.backend.clear_session()
    keras.utils.set_random_seed(params.seed)
    if params.deterministic:
        tf.config.experimental.enable_op_determinism()


@contextmanager
def _memory(params: TrainParams) -> Iterator[None]:
    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise ModelError(
            f"{params.backbone} with train.batch_size {params.batch_size} does not fit into the "
            "memory: lower train.batch_size, or image.height and image.width"
        ) from error
