"""At which share of the learning rate each part of a pretrained network learns."""

import math
from collections.abc import Collection, Sequence

import keras


def shares(model: keras.Model, decay: float, fresh: Collection[str]) -> dict[str, float]:
    """Return by path of a variable the share of the rate that it learns at.

    What is fresh learns at the full rate, the last stage of the rest at `decay` of it, the stage
    before at `decay`² … (discriminative rates, Howard & Ruder 2018). A stage ends where the map
    gets smaller.

    Args:
        model: The network.
        decay: The share of a stage in the rate of the one after it, above 0, at most 1.
        fresh: The names of the layers that have learned nothing yet: the heads, for example.
    """
    layers = [layer for layer in model.layers if layer.weights and layer.name not in fresh]
    sizes = _sizes(layers)
    distance = {size: count for count, size in enumerate(sorted(set(sizes)), start=1)}
    return {
        variable.path: decay ** distance[size]
        for layer, size in zip(layers, sizes, strict=True)
        for variable in layer.trainable_variables
    }


def _sizes(layers: Sequence[keras.Layer]) -> list[int]:
    """Return the pixels of the map that each layer works on."""
    sizes: list[int] = []
    largest = 0
    # From the end, because a map that grows again is a side path: a gate over the channels, say,
    # looks at one pixel in the middle of a stage.
    for layer in reversed(layers):
        largest = max(largest, math.prod(layer.output.shape[1:-1]))
        sizes.append(largest)
    return sizes[::-1]
