"""The bare runtime in one process: decode a batch, infer it, for some seconds; prints images/s.

Run: `python ceiling.py BUNDLE PRECISION BATCH SECONDS IMAGE`; also prints the seconds that
decoding and inference took.
"""

import sys
import time
from pathlib import Path

import numpy as np

from vitrine import imaging
from vitrine.bundle.runtime import Runtime

folder, precision, batch, seconds, picture = sys.argv[1:]
runtime = Runtime(Path(folder), threads=1, precision=precision)
sources = [Path(picture).read_bytes()] * int(batch)
decoding = inferring = 0.0
images = -1
while decoding + inferring < float(seconds):
    start = time.perf_counter()
    pixels = np.stack([imaging.load(source, runtime.info.image) for source in sources])
    middle = time.perf_counter()
    runtime.predict(pixels)
    if images < 0:  # the first one is preparation
        images = 0
        continue
    images += len(sources)
    decoding += middle - start
    inferring += time.perf_counter() - middle
print(images / (decoding + inferring), decoding / images, inferring / images)
