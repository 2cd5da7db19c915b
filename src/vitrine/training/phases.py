"""The phases of a training: with a pretrained backbone the heads learn alone at first."""

from collections.abc import Collection
from dataclasses import dataclass

import keras

from vitrine.core.params import TrainParams


@dataclass(frozen=True, slots=True)
class Phase:
    """Epochs with a learning rate that rises and falls once.

    Args:
        first: The number of its first epoch; 1 for the first of the training.
        epochs: How many it has.
        frozen: Whether only the heads learn, and other layers that are fresh.
        rate_decay: The share of a stage of the backbone in the rate of the one after it.
    """

    first: int
    epochs: int
    frozen: bool
    rate_decay: float


def phases(params: TrainParams, epochs: int) -> list[Phase]:
    """Return the phases of a training, each with at least one epoch.

    Fresh heads would spoil what a backbone has learned elsewhere, so that they learn alone at
    first. The champion's heads are not fresh, and a fresh backbone has learned nothing.

    Args:
        params: The settings of the training.
        epochs: How many there are in all. Where that is more than `params.epochs`, the heads learn
            alone for so many times as many epochs.
    """
    if params.weights == "none" or params.continues:
        return [Phase(1, epochs, frozen=False, rate_decay=1.0)]
    alone = min(round(params.transfer.head_epochs * epochs / params.epochs), epochs)
    both = [
        Phase(1, alone, frozen=True, rate_decay=1.0),
        Phase(alone + 1, epochs - alone, frozen=False, rate_decay=params.transfer.rate_decay),
    ]
    return [phase for phase in both if phase.epochs]


def freeze(model: keras.Model, frozen: bool, fresh: Collection[str]) -> None:
    """Let what is not fresh stay as it is, normalisation included, or let all of it learn.

    Args:
        model: The network.
        frozen: Whether only the fresh layers learn.
        fresh: The names of the layers that have learned nothing yet: the heads, for example.
    """
    for layer in model.layers:
        layer.trainable = not frozen or layer.name in fresh
