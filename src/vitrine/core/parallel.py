"""Work shared by threads, its results in order, in little memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

CHUNK = 32


def map_in_order(
    function: Callable[[T], R], items: Iterable[T], *, workers: int, chunk: int = CHUNK
) -> Iterator[R]:
    """Yield `function(item)` for every item, in the items' order, computed by threads.

    The threads stay a few chunks ahead of the reader, so memory does not grow with the number of
    items. An error of the function is raised at its item's turn; what has not begun is dropped.

    Args:
        function: Called in the threads; worth it where it releases the interpreter lock.
        items: Read in the calling thread, as far ahead as the threads are.
        workers: Threads; 0 = one a CPU.
        chunk: Items that a thread takes at a time, so that handing over costs little.
    """
    threads = workers or os.cpu_count() or 1
    arriving = iter(items)
    running: deque[Future[list[R]]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        while True:
            while len(running) < 2 * threads and (taken := list(islice(arriving, chunk))):
                running.append(pool.submit(lambda part: [function(one) for one in part], taken))
            if not running:
                return
            yield from running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
