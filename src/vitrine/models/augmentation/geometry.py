"""Changes of where things are in an image."""

import math
from typing import Any

import keras


class RandomGeometry(keras.layers.Layer):  # type: ignore[misc]
    """Mirrors, turns, crops and shifts images, all by one interpolation.

    Four layers one after another would blur an image four times, and take four times as long.

    Args:
        flip: Whether half of the images are mirrored.
        rotation: The largest angle, as a share of a full turn, either way.
        zoom: The largest share of height and width that is cropped away.
        shift: The largest shift, as a share of height and width.
        seed: Of the randomness.
    """

    def __init__(
        self, *, flip: bool, rotation: float, zoom: float, shift: float, seed: int
    ) -> None:
        super().__init__(name="random_geometry", dtype="float32")
        self.flip, self.rotation, self.zoom, self.shift = flip, rotation, zoom, shift
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, data: dict[str, Any]) -> dict[str, Any]:
        """Change the images of a batch; what comes in repeats the edge."""
        images = data["images"]
        return {**data, "images": warp(images, *self.draw(keras.ops.shape(images)[0]))}

    def draw(self, count: int) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the matrices, `(count, 2, 2)`, and shifts, `(count, 2, 1)`, for `warp`."""

        def draw(low: float, high: float) -> keras.KerasTensor:
            return keras.random.uniform((count, 1, 1), low, high, seed=self.seeds)

        scale = 1 - draw(0, self.zoom)
        matrix = scale * turn(2 * math.pi * draw(-self.rotation, self.rotation))
        if self.flip:
            mirror = keras.ops.where(draw(0, 1) < 0.5, -1.0, 1.0)
            matrix = matrix * keras.ops.concatenate([mirror, keras.ops.ones_like(mirror)], axis=1)
        shift = keras.random.uniform((count, 2, 1), -self.shift, self.shift, seed=self.seeds)
        return matrix, shift


def turn(angle: keras.KerasTensor) -> keras.KerasTensor:
    """Return the matrices `(count, 2, 2)` that turn by angles `(count, 1, 1)`, in radians."""
    cos, sin = keras.ops.cos(angle), keras.ops.sin(angle)
    rows = [keras.ops.concatenate(row, axis=2) for row in ([cos, -sin], [sin, cos])]
    return keras.ops.concatenate(rows, axis=1)


def warp(
    images: keras.KerasTensor, matrix: keras.KerasTensor, shift: keras.KerasTensor
) -> keras.KerasTensor:
    """Change images so that the pixel at p shows what was at c + matrix (p - c) + shift * size.

    Points are (x, y), and c is the centre. Beyond the edge, the edge is repeated.

    Args:
        images: `(batch, height, width, 3)`.
        matrix: `(batch, 2, 2)`.
        shift: `(batch, 2, 1)`, as shares of width and height.
    """
    height, width = images.shape[1:3]
    size = keras.ops.convert_to_tensor([[[width], [height]]], dtype=matrix.dtype)
    centre = (size - 1) / 2
    offset = centre - keras.ops.matmul(matrix, centre) + size * shift
    rows = keras.ops.reshape(keras.ops.concatenate([matrix, offset], axis=2), (-1, 6))
    return keras.ops.image.affine_transform(
        images,
        keras.ops.pad(rows, [[0, 0], [0, 2]]),
        interpolation="bilinear",
        fill_mode="nearest",
    )
