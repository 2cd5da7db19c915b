"""RandAugment: a few operations out of many, drawn for every image."""

import math
from typing import Any

import keras

from vitrine.models.augmentation.color import recolor
from vitrine.models.augmentation.geometry import RandomGeometry, turn, warp

OPERATIONS = (
    "shear_x",
    "shear_y",
    "shift_x",
    "shift_y",
    "turn",
    "brightness",
    "contrast",
    "saturation",
    "sharpness",
    "posterize",
    "solarize",
)
CHOSEN = 2
SHEAR, SHIFT, ANGLE, FACTOR, STEP = 0.3, 0.45, math.pi / 6, 0.9, 16.0
"""How far an operation goes at strength 1: of RandAugment's common implementations."""


class RandAugment(keras.layers.Layer):  # type: ignore[misc]
    """Changes each image by two operations of its own (Cubuk et al. 2020), by random amounts.

    keras.layers.RandAugment takes the same two for a whole batch, but computes all of them, which
    takes half as long as small_resnet takes to learn from the batch. With it, the weakest strength
    posterises and blurs most, and an image is equalised by the grey levels of the whole batch.

    Args:
        strength: The largest amount of an operation, above 0 and at most 1.
        geometry: Changes that are made by the same interpolation as those of this layer.
        seed: Of the randomness.
    """

    def __init__(self, *, strength: float, geometry: RandomGeometry, seed: int) -> None:
        super().__init__(name="rand_augment", dtype="float32")
        self.strength, self.geometry = strength, geometry
        self.seeds = keras.random.SeedGenerator(seed)

    def build(self, input_shape: dict[str, Any]) -> None:
        """Build the layer whose changes are made along."""
        self.geometry.build(input_shape)

    def call(self, data: dict[str, Any]) -> dict[str, Any]:
        """Change the images of a batch; they stay in their range."""
        count = keras.ops.shape(data["images"])[0]
        amount = self.draw(count)
        own, own_shift = _motion(amount)
        matrix, shift = self.geometry.draw(count)
        images = warp(data["images"], keras.ops.matmul(matrix, own), shift + own_shift)
        return {**data, "images": _tone(_color(images, amount), amount)}

    def draw(self, count: int) -> dict[str, keras.KerasTensor]:
        """Return the amount of each operation, `(count, 1, 1)` in -1 to 1; 0 where not chosen."""
        shape = (count, len(OPERATIONS))
        order = keras.random.uniform(shape, seed=self.seeds)
        least = keras.ops.top_k(order, CHOSEN)[0][:, -1:]
        amounts = keras.random.uniform(shape, -self.strength, self.strength, seed=self.seeds)
        amounts = keras.ops.where(order >= least, amounts, 0.0)
        return {
            name: keras.ops.reshape(amounts[:, place], (-1, 1, 1))
            for place, name in enumerate(OPERATIONS)
        }


def _motion(
    amount: dict[str, keras.KerasTensor],
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    one = keras.ops.ones_like(amount["turn"])
    rows = [[one, SHEAR * amount["shear_x"]], [SHEAR * amount["shear_y"], one]]
    shear = keras.ops.concatenate([keras.ops.concatenate(row, axis=2) for row in rows], axis=1)
    shift = SHIFT * keras.ops.concatenate([amount["shift_x"], amount["shift_y"]], axis=1)
    return keras.ops.matmul(shear, turn(ANGLE * amount["turn"])), shift


def _color(images: keras.KerasTensor, amount: dict[str, keras.KerasTensor]) -> keras.KerasTensor:
    factors = [1 + FACTOR * amount[name] for name in ("brightness", "contrast", "saturation")]
    return recolor(images, *factors)


def _tone(images: keras.KerasTensor, amount: dict[str, keras.KerasTensor]) -> keras.KerasTensor:
    shape = keras.ops.shape(images)
    blurred = keras.ops.average_pool(images, 3, strides=1, padding="same")
    # In rows, because a product with (batch, 1, 1, 1) takes several times as long.
    pixels, blurred = (keras.ops.reshape(x, (shape[0], 1, -1)) for x in (images, blurred))
    pixels = keras.ops.clip(pixels + FACTOR * amount["sharpness"] * (pixels - blurred), 0, 255)
    step = keras.ops.maximum(STEP * keras.ops.abs(amount["posterize"]), 1 / 256)
    pixels = keras.ops.floor(pixels / step) * step
    threshold = 256 * (1 - keras.ops.abs(amount["solarize"]))
    pixels = keras.ops.where(pixels < threshold, pixels, 255 - pixels)
    return keras.ops.reshape(pixels, shape)
