"""What the engine gives for one image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.runtime import Predictions
from vitrine.core.taxonomy import Head
from vitrine.serving.model import LoadedModel


@dataclass(frozen=True, slots=True)
class Answered:
    """What one model answers for one image.

    Args:
        model: Which model, whose labels and thresholds belong to the answer.
        data: The encoded image.
        pixels: The image as the network saw it, (height, width, 3) uint8.
        predictions: The answers for the images that were inferred together.
        place: Which of them this image is.
        decode_seconds: From the bytes to the pixels.
        inference_seconds: Of the images together.
    """

    model: LoadedModel
    data: bytes
    pixels: NDArray[np.uint8]
    predictions: Predictions
    place: int
    decode_seconds: float
    inference_seconds: float

    @property
    def embedding(self) -> NDArray[np.float32]:
        """The vector before the heads, (size,)."""
        vector: NDArray[np.float32] = self.predictions.embedding[self.place]
        return vector

    def probabilities(self, head: Head) -> NDArray[np.float32]:
        """Return the calibrated probabilities of a head, (classes,)."""
        found: NDArray[np.float32] = self.predictions.probabilities(head)[self.place]
        return found

    def maps(self, head: Head) -> NDArray[np.float32] | None:
        """Return the class-activation maps of a head, (height, width, classes), or None."""
        maps = self.predictions.maps(head)
        return None if maps is None else maps[self.place]
