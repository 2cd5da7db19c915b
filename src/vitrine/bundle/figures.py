"""The figures of an answer as they are kept: in the prediction log and in what it is compared with.

Both sides are rounded alike. Values that are equal on one side only would look like drift: of a
model that is sure, many probabilities are 1 after rounding, and hardly one is before.
"""

import numpy as np
from numpy.typing import NDArray

DIGITS = 6
"""Of a probability, behind the point."""
_BRIGHTNESS_DIGITS = 2
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""How bright red, green and blue look (ITU-R BT.601)."""


def brightness(pixels: NDArray[np.uint8]) -> float:
    """Return the mean luma of an image, (height, width, 3), as 0 to 255 with two digits."""
    return round(float(np.mean(pixels @ _LUMA)), _BRIGHTNESS_DIGITS)
