"""Heat maps as pictures: the evidence for an answer, glowing over the image."""

from io import BytesIO

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from vitrine.bundle.evidence import enlarged

OPACITY = 0.75
"""Of the strongest place; weaker ones are as much more transparent."""
GLOW = np.array(
    [(8, 5, 30), (70, 15, 105), (150, 35, 95), (220, 75, 45), (250, 155, 20), (252, 240, 150)],
    np.float32,
)
"""The colours from no evidence to the strongest, evenly spaced: each is brighter than the last, so
that the order shows without the hue, too."""


def overlay(pixels: NDArray[np.uint8], strength: NDArray[np.float32]) -> bytes:
    """Draw evidence over an image turned grey; return a PNG file of the image's size.

    Args:
        pixels: The image, (height, width, 3).
        strength: The evidence, 0 to 1, of any smaller size.
    """
    smooth = enlarged(strength, *pixels.shape[:2])
    steps = np.linspace(0, 1, len(GLOW))
    glow = np.stack([np.interp(smooth, steps, channel) for channel in GLOW.T], axis=-1)
    grey = pixels.mean(axis=2, keepdims=True)
    share = OPACITY * smooth[..., np.newaxis]
    picture = PIL.Image.fromarray(np.rint(grey * (1 - share) + glow * share).astype(np.uint8))
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
