"""Two ways of mixing images, of which each batch gets one."""

from typing import Any

import keras


class EitherOf(keras.layers.Layer):  # type: ignore[misc]
    """Applies one of two layers to a batch, each with a chance of one half.

    Args:
        first: A layer that takes and returns a batch's images and labels.
        second: Another one.
        seed: Of the choice.
    """

    def __init__(self, first: keras.layers.Layer, second: keras.layers.Layer, seed: int) -> None:
        super().__init__(name="either_of", dtype="float32")
        self.first, self.second = first, second
        self.seeds = keras.random.SeedGenerator(seed)

    def build(self, input_shape: dict[str, Any]) -> None:
        """Build the two layers."""
        self.first.build(input_shape)
        self.second.build(input_shape)

    def call(self, data: dict[str, Any]) -> dict[str, Any]:
        """Mix the images and labels of a batch; only the layer that was drawn is computed."""
        drawn = keras.random.uniform((), seed=self.seeds) < 0.5
        changed: dict[str, Any] = keras.ops.cond(
            drawn, lambda: self.first(dict(data)), lambda: self.second(dict(data))
        )
        return changed
