"""The chain of all changes that params.yaml asks for."""

from typing import Any

import keras

from vitrine.core.params import AugmentParams
from vitrine.models.augmentation.boxes import CutMix, RandomErasing
from vitrine.models.augmentation.color import RandomColor
from vitrine.models.augmentation.geometry import RandomGeometry
from vitrine.models.augmentation.mixing import EitherOf
from vitrine.models.augmentation.randaugment import RandAugment


class Augmentation(keras.layers.Layer):  # type: ignore[misc]
    """All random changes of params.yaml's `train.augment` for batches of images and labels.

    Args:
        params: The changes and their strengths; what is switched off costs nothing.
        seed: Of the randomness.
    """

    def __init__(self, params: AugmentParams, seed: int) -> None:
        super().__init__(name="augmentation", dtype="float32")
        self.steps: list[keras.layers.Layer] = []
        geometry = RandomGeometry(
            **params.model_dump(include={"flip", "rotation", "zoom", "shift"}), seed=seed
        )
        if params.randaugment:
            strength = params.randaugment
            self.steps.append(RandAugment(strength=strength, geometry=geometry, seed=seed + 1))
        elif params.flip or params.rotation or params.zoom or params.shift:
            self.steps.append(geometry)
        if params.color:
            self.steps.append(RandomColor(strength=params.color, seed=seed + 2))
        if params.erasing:
            self.steps.append(RandomErasing(chance=params.erasing, seed=seed + 3))
        self.steps += _mixing(params, seed + 4)

    def build(self, input_shape: dict[str, Any]) -> None:
        """Build the steps, none of which has weights."""
        for step in self.steps:
            step.build(input_shape)

    def call(self, data: dict[str, Any]) -> dict[str, Any]:
        """Change a batch; shapes and the range of the images stay, and so does a label's mass.

        Args:
            data: `images`, `(batch, height, width, 3)` in 0 to 255, and `labels`, `(batch,
                classes)`: for each head a row that sums to 1, or to 0 where nothing is known.
        """
        for step in self.steps:
            data = step(data)
        return data


def _mixing(params: AugmentParams, seed: int) -> list[keras.layers.Layer]:
    layers = []
    if params.mixup:
        # A mixed precision would round the pixels to 8 bits.
        layers.append(keras.layers.MixUp(params.mixup, seed=seed, dtype="float32"))
    if params.cutmix:
        layers.append(CutMix(alpha=params.cutmix, seed=seed + 1))
    return [EitherOf(layers[0], layers[1], seed + 2)] if len(layers) == 2 else layers
