"""Rectangles of an image that are filled with something else.

keras.layers.RandomErasing and keras.layers.CutMix do the same, but take ten and four times as long,
because they draw noise and compare places for every channel of every image: together a fifteenth of
the time that small_resnet takes to learn from the batch.
"""

from typing import Any

import keras
import numpy as np

AREA = (0.02, 0.33)
ASPECT = 0.3
"""Of an erased rectangle: its share of the image, and its flattest form."""


class RandomErasing(keras.layers.Layer):  # type: ignore[misc]
    """Fills a rectangle of some images with noise (Zhong et al. 2020).

    The noise is the same for all images of a batch, which are not compared with each other.

    Args:
        chance: The share of the images that lose a rectangle.
        seed: Of the randomness.
    """

    def __init__(self, *, chance: float, seed: int) -> None:
        super().__init__(name="random_erasing", dtype="float32")
        self.chance = chance
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, data: dict[str, Any]) -> dict[str, Any]:
        """Change the images of a batch; they stay in their range."""
        images = data["images"]
        count = keras.ops.shape(images)[0]

        def draw(low: float, high: float, width: int = 1) -> keras.KerasTensor:
            return keras.random.uniform((count, width), low, high, seed=self.seeds)

        stretch = keras.ops.exp(np.log(ASPECT) * draw(-0.5, 0.5))
        side = keras.ops.sqrt(draw(*AREA))
        sides = keras.ops.concatenate([side * stretch, side / stretch], axis=1)
        sides = keras.ops.where(draw(0, 1) < self.chance, keras.ops.minimum(sides, 1), 0)
        rows, columns = _within(images, draw(0, 1, width=2) * (1 - sides), sides)
        noise = keras.random.uniform((1, *images.shape[1:]), 0, 255, seed=self.seeds)
        return {**data, "images": _filled(images, rows, columns, noise)}


class CutMix(keras.layers.Layer):  # type: ignore[misc]
    """Lays a rectangle of another image of the batch over each image (Yun et al. 2019).

    A rectangle has the share 1 - λ of the area, λ ~ Beta(alpha, alpha), and its centre anywhere;
    what lies outside the image is lost. The targets are mixed by the pixels that are left.

    Args:
        alpha: Of the distribution; 1 makes all shares equally likely, less makes them extreme.
        seed: Of the randomness.
    """

    def __init__(self, *, alpha: float, seed: int) -> None:
        super().__init__(name="cut_mix", dtype="float32")
        self.alpha = alpha
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, data: dict[str, Any]) -> dict[str, Any]:
        """Mix the images and labels of a batch."""
        images, labels = data["images"], data["labels"]
        count = keras.ops.shape(images)[0]
        kept = keras.random.beta((count, 1), self.alpha, self.alpha, seed=self.seeds)
        side = keras.ops.sqrt(1 - kept)
        sides = keras.ops.concatenate([side, side], axis=1)
        centre = keras.random.uniform((count, 2), seed=self.seeds)
        rows, columns = _within(images, centre - sides / 2, sides)
        order = keras.random.shuffle(keras.ops.arange(count), seed=self.seeds)
        share = _share(rows) * _share(columns)
        other = keras.ops.take(labels, order, axis=0)
        return {
            **data,
            "images": _filled(images, rows, columns, keras.ops.take(images, order, axis=0)),
            "labels": labels + share * (other - labels),
        }


def _within(
    images: keras.KerasTensor, start: keras.KerasTensor, sides: keras.KerasTensor
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return which rows, `(batch, height)`, and which columns, `(batch, width)`, are in a box.

    Args:
        images: `(batch, height, width, 3)`.
        start: `(batch, 2)`, the upper left corners, as shares of height and width.
        sides: `(batch, 2)`, likewise.
    """

    def between(axis: int) -> keras.KerasTensor:
        length = images.shape[1 + axis]
        places = (np.arange(length, dtype="float32") + 0.5) / length
        first = start[:, axis : axis + 1]
        return (places >= first) & (places < first + sides[:, axis : axis + 1])

    return between(0), between(1)


def _share(inside: keras.KerasTensor) -> keras.KerasTensor:
    return keras.ops.mean(keras.ops.cast(inside, "float32"), axis=1, keepdims=True)


def _filled(
    images: keras.KerasTensor,
    rows: keras.KerasTensor,
    columns: keras.KerasTensor,
    filling: keras.KerasTensor,
) -> keras.KerasTensor:
    # Channels as columns: a mask that is spread over a last axis of 3 takes several times as long.
    columns = keras.ops.repeat(columns, images.shape[-1], axis=1)
    flat, filling = (
        keras.ops.reshape(x, (-1, x.shape[1], columns.shape[1])) for x in (images, filling)
    )
    mask = keras.ops.expand_dims(rows, 2) & keras.ops.expand_dims(columns, 1)
    return keras.ops.reshape(keras.ops.where(mask, filling, flat), keras.ops.shape(images))
