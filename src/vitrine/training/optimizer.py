"""The optimizer and its learning rate."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import keras
import numpy as np

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


class GradedAdamW(keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW in which a variable may learn, and decay, at a share of the rate; with an average.

    Loshchilov & Hutter 2019; without weight decay it is Adam. Each step t = 0, 1, … moves the
    average of the weights by m · average + (1 - m) · weights with m = min(decay, t / (9 + t)), so
    that an early average is not one of the first weights. Keras's own begins with m = decay.

    The running statistics of normalising layers are no weights and are not averaged. They are means
    of the last steps as they are; averaged like the weights they were measured to be worse.

    Args:
        rate: The learning rate.
        weight_decay: Of all variables but those that are excluded.
        shares: By path of a variable the share of the rate that it learns at; 1 for others.
        ema_decay: Of the moving average; 0 = none is kept.
    """

    def __init__(
        self,
        rate: keras.optimizers.schedules.LearningRateSchedule,
        *,
        weight_decay: float,
        shares: Mapping[str, float],
        ema_decay: float,
    ) -> None:
        super().__init__(
            rate, weight_decay=weight_decay, use_ema=ema_decay > 0, ema_momentum=ema_decay
        )
        self._share_by_path = dict(shares)

    def build(self, variables: list[keras.Variable]) -> None:
        """Make room for the moments and averages; an average begins at the present value."""
        super().build(variables)
        self._shares = {self._var_key(v): self._share_by_path.get(v.path, 1.0) for v in variables}
        for variable, average in self.averages:
            average.assign(variable)

    @property
    def averages(self) -> list[tuple[keras.Variable, keras.Variable]]:
        """What is learned, each with its average; empty where no average is kept."""
        if not self.use_ema:
            return []
        return list(
            zip(self._trainable_variables, self._model_variables_moving_average, strict=True)
        )

    def update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, learning_rate: float
    ) -> None:
        """Move one variable by its own rate."""
        rate = keras.ops.cast(learning_rate, variable.dtype) * self._shares[self._var_key(variable)]
        if self.weight_decay and self._use_weight_decay(variable):
            self.assign_sub(variable, variable * rate * self.weight_decay)
        super().update_step(gradient, variable, rate)

    def _apply_weight_decay(self, variables: Iterable[keras.Variable]) -> None:
        # Keras would decay everything at one rate, before `update_step`.
        pass

    def _update_model_variables_moving_average(self, _: Iterable[keras.Variable]) -> None:
        step = keras.ops.cast(self.iterations, "float32")
        momentum = keras.ops.minimum(self.ema_momentum, step / (9 + step))
        for variable, average in self.averages:
            average.assign(momentum * average + (1 - momentum) * variable)

    def finalize_variable_values(self, variables: Iterable[keras.Variable]) -> None:
        """Leave the weights as they are: the next epoch goes on from them, not from the average."""


def optimizer(
    params: TrainParams,
    *,
    steps: int,
    variables: Sequence[keras.Variable],
    shares: Mapping[str, float],
) -> keras.optimizers.Optimizer:
    """Return the optimizer of a training; weight decay leaves out norms and biases.

    Args:
        params: The stage's settings.
        steps: All steps of the training.
        variables: What will be trained.
        shares: By path of a variable the share of the rate that it learns at; 1 for others.
    """
    made = GradedAdamW(
        learning_rate(params.learning_rate, steps=steps, warmup_share=params.warmup_share),
        weight_decay=params.weight_decay if params.optimizer == "adamw" else 0.0,
        shares=shares,
        ema_decay=params.ema_decay,
    )
    # Scales and offsets are vectors; everything that mixes channels has more dimensions.
    made.exclude_from_weight_decay([variable for variable in variables if variable.ndim < 2])
    return made


@contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Let a compiled network have its averaged weights inside the block, where they are kept."""
    # A mixed precision of 16-bit floats wraps the optimizer, to scale the loss.
    own = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    before = [np.asarray(variable) for variable, _ in own.averages]
    for variable, average in own.averages:
        variable.assign(average)
    try:
        yield
    finally:
        for (variable, _), value in zip(own.averages, before, strict=True):
            variable.assign(value)
