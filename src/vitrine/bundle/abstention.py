"""From which confidence on an answer is sure enough to be given; below it is "unsure"."""

import numpy as np
from numpy.typing import NDArray

from vitrine.core.taxonomy import UNKNOWN

NEVER_SURE = 2.0
"""A threshold that no probability reaches."""


def threshold(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], precision: float
) -> float:
    """Return the lowest confidence such that enough of the answers at or above it are right.

    Enough means the share `precision`, with one wrong answer more counted than there is: so a
    handful of right answers proves nothing, and 0.95 takes at least 19. The threshold lies halfway
    to the next lower confidence. It is `NEVER_SURE` where no confidence is enough.

    Args:
        probabilities: (n, classes), calibrated, of images that the network was not fitted to.
        labels: (n,) class indices, -1 where unknown.
        precision: 0 to 1.
    """
    known = labels != UNKNOWN
    confidence = probabilities[known].max(axis=1, initial=0)
    right = probabilities[known].argmax(axis=1) == labels[known]
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    counts = np.arange(1, len(order) + 1)
    enough = np.cumsum(right[order]) >= precision * (counts + 1)
    # Answers of equal confidence are taken or left together.
    enough &= np.append(falling[1:], -1) < falling
    if not enough.any():
        return NEVER_SURE
    last = int(np.flatnonzero(enough)[-1])
    lower = falling[last + 1] if last + 1 < len(falling) else falling[last]
    return float((falling[last] + lower) / 2)
