"""The optimizer and its learning rate."""

from collections.abc import Iterable

import keras

from vitrine.core.params import TrainParams


def learning_rate(
    peak: float, *, steps: int, warmup_share: float
) -> keras.optimizers.schedules.CosineDecay:
    """Return a rate that rises linearly from zero to a peak and falls to zero by a cosine.

    Loshchilov & Hutter 2017, with the warm-up of Goyal et al. 2017.

    Args:
        peak: The highest rate.
        steps: All steps of the training.
        warmup_share: Which share of the steps the rise takes, 0 to 1.
    """
    warmup = round(steps * warmup_share)
    falling = max(1, steps - warmup)
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(peak, falling)
    return keras.optimizers.schedules.CosineDecay(
        0.0, falling, warmup_target=peak, warmup_steps=warmup
    )


def optimizer(
    params: TrainParams, *, steps: int, variables: Iterable[keras.Variable]
) -> keras.optimizers.Optimizer:
    """Return the optimizer of a training; weight decay leaves out norms and biases.

    Args:
        params: The stage's settings.
        steps: All steps of the training.
        variables: What will be trained.
    """
    rate = learning_rate(params.learning_rate, steps=steps, warmup_share=params.warmup_share)
    if params.optimizer == "adam":
        return keras.optimizers.Adam(rate)
    made = keras.optimizers.AdamW(rate, weight_decay=params.weight_decay)
    # Scales and offsets are vectors; everything that mixes channels has more dimensions.
    made.exclude_from_weight_decay([variable for variable in variables if variable.ndim < 2])
    return made
