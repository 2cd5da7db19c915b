"""Views of images: changes so strong that only what an image shows is left in common."""

import keras
import numpy as np

MAX_ASPECT = 4 / 3
GREY_SHARE = 0.2

# The luminance and the two colour axes of the YIQ space (Smith 1978), in terms of RGB.
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_RGB = np.linalg.inv(_YIQ)
_LUMINANCE = _RGB @ np.diag([1.0, 0.0, 0.0]) @ _YIQ
_CHROMA = _RGB @ np.diag([0.0, 1.0, 1.0]) @ _YIQ
_TURNED = _RGB @ np.array([[0.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]) @ _YIQ


class RandomCrop(keras.layers.Layer):  # type: ignore[misc]
    """Cuts a rectangle out of each image and stretches it to the image's size, or its mirror image.

    The "random resized crop" of Szegedy et al. 2015, for a whole batch by one interpolation.

    Args:
        zoom: The largest share of height and width that is cut away; below 1.
        seed: Of the randomness.
    """

    def __init__(self, *, zoom: float, seed: int) -> None:
        super().__init__(name="random_crop", dtype="float32")
        self.zoom = zoom
        # XLA has no kernel for TensorFlow's affine transform.
        self.supports_jit = False
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Change images `(batch, height, width, 3)`; shape and range stay."""
        count = keras.ops.shape(images)[0]
        height, width = images.shape[1:3]

        def draw(low: float, high: float) -> keras.KerasTensor:
            return keras.random.uniform((count,), low, high, seed=self.seeds)

        side = draw(1 - self.zoom, 1)
        stretch = keras.ops.exp(draw(-0.5, 0.5) * np.log(MAX_ASPECT))
        across = keras.ops.clip(side * stretch, 1 - self.zoom, 1)
        down = keras.ops.clip(side / stretch, 1 - self.zoom, 1)
        left, top = draw(0, 1) * (1 - across), draw(0, 1) * (1 - down)
        mirrored = draw(0, 1) < 0.5
        # For each output pixel the transform gives the input pixel.
        x_by_x = keras.ops.where(mirrored, -across, across)
        x_shift = (width - 1) * keras.ops.where(mirrored, left + across, left)
        none = keras.ops.zeros_like(side)
        rows = [x_by_x, none, x_shift, none, down, (height - 1) * top, none, none]
        return keras.ops.image.affine_transform(
            images, keras.ops.stack(rows, axis=-1), interpolation="bilinear", fill_mode="nearest"
        )


class RandomTint(keras.layers.Layer):  # type: ignore[misc]
    """Changes brightness, contrast, saturation and hue of each image; some become grey.

    All of that is one matrix an image, `y = M x + b`: the four layers of keras.layers would go
    through the pixels many times, two of them by way of the HSV space.

    Args:
        strength: Factors lie between 1 - strength and 1 + strength; the hue turns by at most a
            quarter of that share of a full turn, either way.
        seed: Of the randomness.
    """

    def __init__(self, *, strength: float, seed: int) -> None:
        super().__init__(name="random_tint", dtype="float32")
        self.strength = strength
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Change images `(batch, height, width, 3)` in 0 to 255; shape and range stay."""
        count = keras.ops.shape(images)[0]

        def draw(low: float, high: float) -> keras.KerasTensor:
            return keras.random.uniform((count, 1, 1), low, high, seed=self.seeds)

        low, high = 1 - self.strength, 1 + self.strength
        brightness, contrast = draw(low, high), draw(low, high)
        colour = keras.ops.where(draw(0, 1) < GREY_SHARE, 0.0, draw(low, high))
        angle = draw(-0.5, 0.5) * np.pi * self.strength
        matrix = _LUMINANCE + colour * (
            keras.ops.cos(angle) * _CHROMA + keras.ops.sin(angle) * _TURNED
        )
        mean = keras.ops.mean(images, axis=(1, 2)) @ _YIQ[0][:, None]
        offset = brightness * (1 - contrast) * mean[:, None]
        pixels = keras.ops.reshape(images, (count, -1, 3))
        turned = keras.ops.transpose(brightness * contrast * matrix, (0, 2, 1))
        changed = keras.ops.matmul(pixels, turned) + offset
        return keras.ops.reshape(keras.ops.clip(changed, 0, 255), keras.ops.shape(images))
