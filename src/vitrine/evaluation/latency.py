"""How long bundles take for one image."""

import time
from collections.abc import Sequence

import numpy as np

from vitrine.bundle.runtime import Runtime

WARM_UP = 5
REPETITIONS = 40


def latencies(runtimes: Sequence[Runtime]) -> list[float]:
    """Return the median time of each bundle for one image, in milliseconds.

    It is the network alone, without decoding. The bundles take turns, so that whatever else the
    machine does meanwhile slows all of them alike; each answers an image of its own size.

    Args:
        runtimes: The bundles, each loaded with as many threads as are to be measured.
    """
    images = [
        np.zeros((1, runtime.info.image.height, runtime.info.image.width, 3), np.uint8)
        for runtime in runtimes
    ]
    taken = np.empty((WARM_UP + REPETITIONS, len(runtimes)))
    for turn in taken:
        for place, (runtime, image) in enumerate(zip(runtimes, images, strict=True)):
            start = time.perf_counter()
            runtime.predict(image)
            turn[place] = time.perf_counter() - start
    return [float(median) * 1000 for median in np.median(taken[WARM_UP:], axis=0)]
