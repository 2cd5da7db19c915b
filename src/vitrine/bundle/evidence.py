"""Where in an image the evidence for an answer lies."""

import numpy as np
import PIL.Image
from numpy.typing import NDArray


def evidence(maps: NDArray[np.float32], answer: int) -> NDArray[np.float32]:
    """Return where an image speaks for a class, (height, width), 0 to 1.

    What speaks for all classes alike does not decide, so the mean over the classes is taken off.

    Args:
        maps: The class-activation maps of one image, (height, width, classes).
        answer: Which class.
    """
    above = np.maximum(maps[..., answer] - maps.mean(axis=-1), 0)
    return np.asarray(above / max(float(above.max()), 1e-9))


def enlarged(strength: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Return evidence in the size of an image, (height, width), 0 to 1, smooth between places."""
    coarse = PIL.Image.fromarray(strength.astype(np.float32))
    return np.asarray(coarse.resize((width, height), PIL.Image.Resampling.BICUBIC)).clip(0, 1)
