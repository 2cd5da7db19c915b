"""The small network that tutorials start from."""

import keras

SCALE = 1 / 255
OFFSET = 0.0


def simple_cnn(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Stack two blocks of convolution and pooling and one dense layer.

    Args:
        pixels: `(batch, height, width, 3)`, any float range.

    Returns:
        The embedding, `(batch, 128)`. There is no feature map left to explain an answer with.
    """
    x = pixels
    for block, filters in enumerate((32, 64), start=1):
        x = keras.layers.Conv2D(filters, 3, activation="relu", name=f"block{block}_conv")(x)
        x = keras.layers.MaxPooling2D(name=f"block{block}_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.layers.Dense(128, activation="relu", name="embedding")(x)
