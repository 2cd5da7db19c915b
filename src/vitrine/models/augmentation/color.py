"""Changes of the colours of an image."""

from typing import Any

import keras
import numpy as np


class RandomColor(keras.layers.Layer):  # type: ignore[misc]
    """Changes brightness, contrast and saturation, each by a factor of its own.

    Args:
        strength: The largest change; a factor lies between 1 - strength and 1 + strength.
        seed: Of the randomness.
    """

    def __init__(self, *, strength: float, seed: int) -> None:
        super().__init__(name="random_color", dtype="float32")
        self.strength = strength
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, data: dict[str, Any]) -> dict[str, Any]:
        """Change the images of a batch; they stay in their range."""
        images = data["images"]
        shape = (3, keras.ops.shape(images)[0], 1, 1)
        low, high = 1 - self.strength, 1 + self.strength
        factors = keras.random.uniform(shape, low, high, seed=self.seeds)
        return {**data, "images": recolor(images, factors[0], factors[1], factors[2])}


def recolor(
    images: keras.KerasTensor,
    brightness: keras.KerasTensor,
    contrast: keras.KerasTensor,
    saturation: keras.KerasTensor,
) -> keras.KerasTensor:
    """Change colours by factors; 1 keeps what is there.

    With g the grey of a pixel x and m the mean of the image:
    `brightness * (m + contrast * (g + saturation * (x - g) - m))`. That is a matrix and an offset
    an image, and only one way through the pixels.

    Args:
        images: `(batch, height, width, 3)` in 0 to 255.
        brightness: `(batch, 1, 1)`.
        contrast: `(batch, 1, 1)`.
        saturation: `(batch, 1, 1)`.
    """
    shape = keras.ops.shape(images)
    pixels = keras.ops.reshape(images, (shape[0], -1, 3))
    grey = np.full((3, 3), 1 / 3, "float32")
    matrix = brightness * contrast * (grey + saturation * (np.eye(3, dtype="float32") - grey))
    flat = keras.ops.reshape(images, (shape[0], 1, -1))
    offset = brightness * (1 - contrast) * keras.ops.mean(flat, axis=-1, keepdims=True)
    changed = keras.ops.clip(keras.ops.matmul(pixels, matrix) + offset, 0, 255)
    return keras.ops.reshape(changed, shape)
