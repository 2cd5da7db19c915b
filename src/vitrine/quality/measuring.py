"""Measuring many images at once, in order and in little memory."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from vitrine.core.params import ImageParams
from vitrine.quality.facts import Facts, measure

CHUNK = 32
"""Images that a thread takes at a time: one small image is less work than handing it over."""


def measure_all(
    root: Path, names: Iterable[str], image: ImageParams, workers: int
) -> Iterator[Facts]:
    """Yield the facts of many images in the order of their names.

    Images are decoded by threads (the decoder releases the interpreter lock) that stay a few chunks
    ahead of the reader, so memory does not grow with the number of images.

    Args:
        root: The folder that the names are relative to.
        names: Paths of images, as in the manifest.
        image: The limits on bytes and pixels.
        workers: Threads; 0 = one a CPU.
    """
    threads = workers or os.cpu_count() or 1
    arriving = iter(names)
    running: deque[Future[list[Facts]]] = deque()

    def measure_chunk(chunk: list[str]) -> list[Facts]:
        return [measure(root / name, image, name) for name in chunk]

    pool = ThreadPoolExecutor(threads, thread_name_prefix="measure")
    try:
        while True:
            while len(running) < 2 * threads and (chunk := list(islice(arriving, CHUNK))):
                running.append(pool.submit(measure_chunk, chunk))
            if not running:
                return
            yield from running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
