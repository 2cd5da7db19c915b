"""Fitting a network to the prepared shards."""

from collections.abc import Callable
from dataclasses import dataclass

import keras

from vitrine.inputs.summary import Summary
from vitrine.models import Transfer
from vitrine.training.beginning import begin, within_memory
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
    params = job.params
    begin(params.seed, deterministic=params.deterministic)
    with (
        computing(params.precision, params.backbone) as precision,
        within_memory(params.backbone, "train", params.batch_size),
    ):
        trainer = Trainer(job)
        trainer.run(on_epoch, on_point)
    # Built anew: what was trained may carry a mixed precision, which a bundle may not.
    keras.backend.clear_session()
    model = network(params, Summary.load(job.prepared), pretrained=False)
    model.set_weights(trainer.best)
    return Fitted(model, trainer.history, trainer.resumed, precision, trainer.transferred)
