"""A residual network for small images and small machines (He et al. 2016, "basic" blocks)."""

import keras

STEM = 32
WIDTHS = (64, 128, 256)
DEPTHS = (2, 2, 2)
# A short training has few steps: running means must follow within tens of them.
MOMENTUM = 0.9


def small_resnet(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Stack a strided stem and three stages of residual blocks.

    Args:
        pixels: `(batch, height, width, 3)`, any float range.

    Returns:
        The feature map, `(batch, height / 16, width / 16, 256)`.
    """
    x = _convolve(pixels, STEM, 3, 2, "stem")
    x = keras.layers.Activation("relu", name="stem_relu")(x)
    for stage, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True), start=1):
        for block in range(1, depth + 1):
            x = _residual(x, width, 2 if block == 1 else 1, f"stage{stage}_block{block}")
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


def _residual(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    y = _convolve(x, filters, 3, stride, f"{name}_first")
    y = keras.layers.Activation("relu", name=f"{name}_first_relu")(y)
    # A branch that begins at zero makes the untrained block an identity (Goyal et al. 2017).
    y = _convolve(y, filters, 3, 1, f"{name}_second", gamma="zeros")
    if stride > 1:
        x = keras.layers.AveragePooling2D(stride, padding="same", name=f"{name}_pool")(x)
    if x.shape[-1] != filters:
        x = _convolve(x, filters, 1, 1, f"{name}_shortcut")
    x = keras.layers.Add(name=f"{name}_add")([x, y])
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)
