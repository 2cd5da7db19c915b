"""Temperature scaling: one number a head makes probabilities mean what they say.

Guo et al., "On Calibration of Modern Neural Networks", 2017: softmax(logits / T) with the T that
minimises the log-loss on images that the network was not fitted to. The order of the classes, and
with it every answer, stays the same.
"""

import numpy as np
from numpy.typing import NDArray

from vitrine.core.taxonomy import UNKNOWN

COLDEST, HOTTEST = 0.05, 20.0
"""Limits of the temperature."""


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """Return probabilities along the last axis, from logits divided by a temperature."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the temperature that fits the logits of one head best to the labels.

    The log-loss is convex in 1/T, so its minimum is where the derivative changes sign; bisection
    finds it. As in Platt's scaling (1999) one image more of unknown class is counted, which keeps
    a small set without any mistake from asking for complete certainty.

    Args:
        logits: (n, classes).
        labels: (n,) class indices, -1 where unknown. Without any label the answer is 1.
    """
    known = labels != UNKNOWN
    if not known.any() or logits.shape[1] < 2:
        return 1.0
    scores = logits[known].astype(np.float64)
    truth = scores[np.arange(len(scores)), labels[known]]
    doubt = 1 / (len(scores) + 1)
    wanted = ((1 - doubt) * truth + doubt * scores.mean(axis=1)).mean()

    def slope(inverse: float) -> float:
        expected = (softmax(scores, 1 / inverse) * scores).sum(axis=1).mean()
        return float(expected - wanted)

    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(50):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return float(1 / (low * high) ** 0.5)
