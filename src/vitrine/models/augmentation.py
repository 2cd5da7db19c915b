"""Random changes of training images, as Keras layers that work on whole batches.

They are applied to what the network is fed and are no part of it: inside, they would be exported
and would switch everything after them to training mode.
"""

import math

import keras

from vitrine.core.params import AugmentParams


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

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Change images `(batch, height, width, 3)`; what comes in repeats the edge."""
        count = keras.ops.shape(images)[0]
        height, width = images.shape[1:3]

        def draw(low: float, high: float) -> keras.KerasTensor:
            return keras.random.uniform((count,), low, high, seed=self.seeds)

        angle = 2 * math.pi * draw(-self.rotation, self.rotation)
        scale = 1 - draw(0, self.zoom)
        mirror = keras.ops.where(draw(0, 1) < 0.5, -1.0, 1.0) if self.flip else 1.0
        # For each output pixel the transform gives the input pixel, both seen from the centre.
        x_by_x = mirror * scale * keras.ops.cos(angle)
        x_by_y = -mirror * scale * keras.ops.sin(angle)
        y_by_x, y_by_y = scale * keras.ops.sin(angle), scale * keras.ops.cos(angle)
        x, y = (width - 1) / 2, (height - 1) / 2
        x_shift = x - x_by_x * x - x_by_y * y + width * draw(-self.shift, self.shift)
        y_shift = y - y_by_x * x - y_by_y * y + height * draw(-self.shift, self.shift)
        none = keras.ops.zeros_like(angle)
        rows = [x_by_x, x_by_y, x_shift, y_by_x, y_by_y, y_shift, none, none]
        return keras.ops.image.affine_transform(
            images, keras.ops.stack(rows, axis=-1), interpolation="bilinear", fill_mode="nearest"
        )


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

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Change images `(batch, height, width, 3)` in 0 to 255; the result stays in that range."""
        shape = (keras.ops.shape(images)[0], 1, 1, 1)

        def draw() -> keras.KerasTensor:
            return keras.random.uniform(
                shape, 1 - self.strength, 1 + self.strength, seed=self.seeds
            )

        grey = keras.ops.mean(images, axis=-1, keepdims=True)
        images = grey + (images - grey) * draw()
        mean = keras.ops.mean(grey, axis=(1, 2), keepdims=True)
        images = (mean + (images - mean) * draw()) * draw()
        return keras.ops.clip(images, 0, 255)


class Augmentation(keras.layers.Layer):  # type: ignore[misc]
    """All random changes of params.yaml's `train.augment` for batches of images.

    Args:
        params: The changes and their strengths; what is switched off costs nothing.
        seed: Of the randomness.
    """

    def __init__(self, params: AugmentParams, seed: int) -> None:
        super().__init__(name="augmentation", dtype="float32")
        self.steps: list[keras.layers.Layer] = []
        if params.flip or params.rotation or params.zoom or params.shift:
            geometry = params.model_dump(exclude={"color"})
            self.steps.append(RandomGeometry(**geometry, seed=seed))
        if params.color:
            self.steps.append(RandomColor(strength=params.color, seed=seed + 1))

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Change images `(batch, height, width, 3)` float in 0 to 255; shape and range stay."""
        for step in self.steps:
            images = step(images)
        return images
