"""Backbones for small images that `small_resnet` was chosen among; asked by `backbones.py`.

Each takes normalised pixels and the stochastic depth, which none of them uses, and returns the
feature map, as `vitrine.models.small_resnet` does.
"""

from collections.abc import Callable, Sequence

import keras

Backbone = Callable[[keras.KerasTensor, float], keras.KerasTensor]
WIDTHS = (64, 128, 256)


def basic_resnet(pixels: keras.KerasTensor, _: float) -> keras.KerasTensor:
    """Two "basic" residual blocks a stage, of which the first halves the map (He et al. 2016)."""
    x = _relu(_convolve(pixels, 32, 3, 2))
    for width in WIDTHS:
        for stride in (2, 1):
            y = _convolve(_relu(_convolve(x, width, 3, stride)), width, 3, 1, gamma="zeros")
            x = keras.layers.AveragePooling2D(stride)(x) if stride > 1 else x
            x = _convolve(x, width, 1, 1) if x.shape[-1] != width else x
            x = _relu(keras.layers.Add()([x, y]))
    return x


def bottleneck_resnet(pixels: keras.KerasTensor, _: float) -> keras.KerasTensor:
    """Wider stages of blocks that squeeze their channels to a half (He et al. 2016)."""
    x = _relu(_convolve(pixels, 64, 3, 2))
    for width, depth in zip((128, 256, 512), (2, 3, 2), strict=True):
        for block in range(depth):
            stride = 1 if block else 2
            y = _relu(_convolve(x, width // 2, 1, 1))
            y = _relu(_convolve(y, width // 2, 3, stride))
            y = _convolve(y, width, 1, 1, gamma="zeros")
            x = keras.layers.AveragePooling2D(stride)(x) if stride > 1 else x
            x = _convolve(x, width, 1, 1) if x.shape[-1] != width else x
            x = _relu(keras.layers.Add()([x, y]))
    return x


def convnext(pixels: keras.KerasTensor, _: float) -> keras.KerasTensor:
    """Patches of four pixels, then depthwise 7x7 and pointwise layers (Liu et al. 2022)."""
    x = keras.layers.Conv2D(WIDTHS[0], 4, strides=4)(pixels)
    for stage, width in enumerate(WIDTHS):
        x = keras.layers.LayerNormalization(epsilon=1e-6)(x)
        x = keras.layers.Conv2D(width, 2, strides=2)(x) if stage else x
        for _block in range(2):
            y = keras.layers.DepthwiseConv2D(7, padding="same")(x)
            y = keras.layers.LayerNormalization(epsilon=1e-6)(y)
            y = keras.layers.Dense(4 * width, activation="gelu")(y)
            x = keras.layers.Add()([x, keras.layers.Dense(width, kernel_initializer="zeros")(y)])
    return x


def resnet9_like(blocks: Sequence[int], stem: int, activation: str = "relu") -> Backbone:
    """Return `small_resnet` with other residual blocks a stage, widths and activation.

    Args:
        blocks: Of each of the three stages.
        stem: Channels of the first layer; the stages have 2, 4 and 8 times as many.
        activation: After every convolution.
    """

    def layer(x: keras.KerasTensor, width: int, stride: int = 1) -> keras.KerasTensor:
        return keras.layers.Activation(activation)(_convolve(x, width, 3, stride))

    def backbone(pixels: keras.KerasTensor, _: float) -> keras.KerasTensor:
        x = layer(pixels, stem, 2)
        for times, count in zip((2, 4, 8), blocks, strict=True):
            x = keras.layers.MaxPooling2D()(layer(x, times * stem))
            for _block in range(count):
                y = layer(layer(x, times * stem), times * stem)
                x = keras.layers.Add()([x, y])
        return x

    return backbone


BACKBONES: dict[str, Backbone] = {
    "basic blocks, 2 + 2 + 2": basic_resnet,
    "bottlenecks, 2 + 3 + 2": bottleneck_resnet,
    "ConvNeXt, 2 + 2 + 2": convnext,
    "small_resnet, blocks 1 + 1 + 1": resnet9_like((1, 1, 1), 32),
    "small_resnet, narrower": resnet9_like((1, 0, 1), 24),
    "small_resnet, wider": resnet9_like((1, 0, 1), 48),
    "small_resnet, GELU": resnet9_like((1, 0, 1), 32, "gelu"),
}


def _convolve(
    x: keras.KerasTensor, filters: int, size: int, stride: int, gamma: str = "ones"
) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(x)
    return keras.layers.BatchNormalization(momentum=0.9, gamma_initializer=gamma)(x)


def _relu(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.Activation("relu")(x)
