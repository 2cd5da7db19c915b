"""A residual network for small images and small machines."""

import keras

STEM = 32
WIDTHS = (64, 128, 256)
BLOCKS = (1, 0, 1)
"""Residual blocks of each stage."""
# Smaller images would leave the last stage with a map of one or two pixels.
MIN_HALVED = 48
# A short training has few steps: running means must follow within tens of them.
MOMENTUM = 0.9


def small_resnet(pixels: keras.KerasTensor, stochastic_depth: float) -> keras.KerasTensor:
    """Stack a stem and three stages: a wider convolution, a pooling, a residual block or none.

    The form of ResNet-9 (Page 2018, "How to train your ResNet"): it widens before it pools, and
    most of its work is in few, dense convolutions, which suits a CPU as well as a GPU.

    Args:
        pixels: `(batch, height, width, 3)`, any float range.
        stochastic_depth: How often the last block leaves an image as it is while training, 0 to 1;
            falls linearly towards the first block (Huang et al. 2016).

    Returns:
        The feature map, `(batch, height / 16, width / 16, 256)`; twice as high and wide for images
        with a side below 48 pixels, which the stem does not halve.
    """
    halved = min(pixels.shape[1:3]) >= MIN_HALVED
    x = _convolve(pixels, STEM, 2 if halved else 1, "stem")
    done = 0
    for stage, (width, blocks) in enumerate(zip(WIDTHS, BLOCKS, strict=True), start=1):
        x = _convolve(x, width, 1, f"stage{stage}")
        x = keras.layers.MaxPooling2D(name=f"stage{stage}_pool")(x)
        for block in range(1, blocks + 1):
            done += 1
            skipped = stochastic_depth * done / sum(BLOCKS)
            x = _residual(x, skipped, f"stage{stage}_block{block}")
    return x


def _convolve(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        filters,
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)


def _residual(x: keras.KerasTensor, skipped: float, name: str) -> keras.KerasTensor:
    y = _convolve(x, x.shape[-1], 1, f"{name}_first")
    y = _convolve(y, x.shape[-1], 1, f"{name}_second")
    if skipped:
        # One draw an image; what is kept is scaled up, so that nothing is left to do afterwards.
        y = keras.layers.Dropout(skipped, noise_shape=(None, 1, 1, 1), name=f"{name}_depth")(y)
    return keras.layers.Add(name=f"{name}_add")([x, y])
