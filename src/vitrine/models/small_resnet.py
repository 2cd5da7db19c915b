"""A residual network for small images and small machines (He et al. 2016, "basic" blocks)."""

import keras
import numpy as np

STEM = 32
WIDTHS = (64, 128, 256)
DEPTHS = (2, 2, 2)
# Smaller images would leave the last stage with a map of one or two pixels.
MIN_HALVED = 48
# A short training has few steps: running means must follow within tens of them.
MOMENTUM = 0.9


def small_resnet(pixels: keras.KerasTensor, stochastic_depth: float) -> keras.KerasTensor:
    """Stack a stem and three stages of residual blocks.

    Args:
        pixels: `(batch, height, width, 3)`, any float range.
        stochastic_depth: How often the last block leaves an image as it is while training, 0 to 1;
            falls linearly to 0 at the first block (Huang et al. 2016).

    Returns:
        The feature map, `(batch, height / 16, width / 16, 256)`; twice as high and wide for images
        with a side below 48 pixels, which the stem does not halve.
    """
    halved = min(pixels.shape[1:3]) >= MIN_HALVED
    x = _convolve(pixels, STEM, 3, 2 if halved else 1, "stem")
    x = keras.layers.Activation("relu", name="stem_relu")(x)
    rates = iter(np.linspace(0, stochastic_depth, sum(DEPTHS)).tolist())
    for stage, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True), start=1):
        for block in range(1, depth + 1):
            stride = 2 if block == 1 else 1
            x = _residual(x, width, stride, next(rates), f"stage{stage}_block{block}")
    return x


def _convolve(
    x: keras.KerasTensor, filters: int, size: int, stride: int, name: str, gamma: str = "ones"
) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return keras.layers.BatchNormalization(
        momentum=MOMENTUM, gamma_initializer=gamma, name=f"{name}_norm"
    )(x)


def _residual(
    x: keras.KerasTensor, filters: int, stride: int, skipped: float, name: str
) -> keras.KerasTensor:
    y = _convolve(x, filters, 3, stride, f"{name}_first")
    y = keras.layers.Activation("relu", name=f"{name}_first_relu")(y)
    # A branch that begins at zero makes the untrained block an identity (Goyal et al. 2017).
    y = _convolve(y, filters, 3, 1, f"{name}_second", gamma="zeros")
    if skipped:
        # One draw an image; what is kept is scaled up, so that nothing is left to do afterwards.
        y = keras.layers.Dropout(skipped, noise_shape=(None, 1, 1, 1), name=f"{name}_depth")(y)
    if stride > 1:
        x = keras.layers.AveragePooling2D(stride, padding="same", name=f"{name}_pool")(x)
    if x.shape[-1] != filters:
        x = _convolve(x, filters, 1, 1, f"{name}_shortcut")
    x = keras.layers.Add(name=f"{name}_add")([x, y])
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)
