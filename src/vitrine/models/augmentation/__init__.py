"""Random changes of training images and their targets, as Keras layers for whole batches.

Each takes and returns `{"images": (batch, height, width, 3) float32 in 0..255, "labels": (batch,
classes)}`, the convention of Keras's own. They are applied to what the network is fed and are no
part of it: inside, they would be exported and would switch everything after them to training mode.
"""

from vitrine.models.augmentation.boxes import CutMix, RandomErasing
from vitrine.models.augmentation.chain import Augmentation
from vitrine.models.augmentation.color import RandomColor
from vitrine.models.augmentation.geometry import RandomGeometry
from vitrine.models.augmentation.randaugment import RandAugment

__all__ = [
    "Augmentation",
    "CutMix",
    "RandAugment",
    "RandomColor",
    "RandomErasing",
    "RandomGeometry",
]
