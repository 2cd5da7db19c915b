"""When a difference is drift."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """When a difference is drift: it is both large and beyond chance.

    Args:
        distance: The share of the images that must lie differently, 0 to 1.
        auc: How well embeddings must be told apart, 0.5 (not at all) to 1.
        chance: How probable a false alarm may be where nothing has changed, 0 to 1.
        min_images: With fewer, on either side, nothing is said of a feature.
    """

    distance: float
    auc: float
    chance: float
    min_images: int


DEFAULTS = Limits(distance=0.15, auc=0.65, chance=0.01, min_images=200)
