"""The network: a backbone by name, its embedding, and one classifier a head."""

from collections.abc import Mapping
from typing import Literal

import keras

from vitrine.core.errors import ModelError
from vitrine.core.taxonomy import Head
from vitrine.models.applications import APPLICATIONS
from vitrine.models.simple_cnn import simple_cnn
from vitrine.models.small_resnet import small_resnet

OWN = ("simple_cnn", "small_resnet")
BACKBONES = (*OWN, *APPLICATIONS)


def build(
    backbone: str,
    *,
    image_shape: tuple[int, int, int],
    classes: Mapping[Head, int],
    dropout: float,
    stochastic_depth: float = 0.0,
    weights: Literal["none", "imagenet"] = "none",
) -> keras.Model:
    """Build a network whose input is named `image` and whose outputs are named like the heads.

    Layers that others address: `features` (the last feature map, missing in `simple_cnn`),
    `embedding` (`(batch, n)`), and a dense layer a head that gives logits.

    Args:
        backbone: One of `BACKBONES`.
        image_shape: Height, width and 3. The input is float32 RGB in 0 to 255.
        classes: How many classes each head tells apart; a head without classes is left out.
        dropout: The share of the embedding that is dropped while training.
        stochastic_depth: How often the last residual block of `small_resnet` is left out while
            training; 0 for the other backbones, which have none of it.
        weights: `none` (random), or those that keras.applications learned on ImageNet.

    Raises:
        ModelError: The backbone is unknown, cannot take images of this size, has no such weights or
            no stochastic depth, or there is nothing to tell apart.
    """
    image = keras.Input(image_shape, name="image", dtype="float32")
    x = _backbone(backbone, image, stochastic_depth, None if weights == "none" else weights)
    if len(x.shape) == 4:
        x = keras.layers.Identity(name="features")(x)
        x = keras.layers.GlobalAveragePooling2D(name="embedding")(x)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    # Logits stay float32 under a mixed precision: a softmax in 16 bits loses small probabilities.
    outputs = {
        head: keras.layers.Dense(count, dtype="float32", name=head)(x)
        for head, count in classes.items()
        if count
    }
    if not outputs:
        raise ModelError(
            "there is nothing to learn: taxonomy.yaml lists neither styles nor categories; "
            "add some and label the images"
        )
    return keras.Model(image, outputs, name=backbone)


def _backbone(
    name: str, image: keras.KerasTensor, stochastic_depth: float, weights: str | None
) -> keras.KerasTensor:
    if name not in BACKBONES:
        raise ModelError(f"train.backbone must be one of {', '.join(BACKBONES)}, but got {name!r}")
    if stochastic_depth and name != "small_resnet":
        raise ModelError(
            f"train.stochastic_depth is {stochastic_depth}, but only small_resnet has it, not "
            f"{name}: set train.stochastic_depth to 0, or train.backbone to small_resnet"
        )
    if name in APPLICATIONS:
        return APPLICATIONS[name](image, weights)
    if weights is not None:
        raise ModelError(
            f"train.weights is {weights}, but there are no such weights for {name}; set "
            f"train.weights to none, or choose a backbone of {', '.join(APPLICATIONS)}"
        )
    pixels = keras.layers.Rescaling(1 / 127.5, -1.0, name="normalise")(image)
    return simple_cnn(pixels) if name == "simple_cnn" else small_resnet(pixels, stochastic_depth)
