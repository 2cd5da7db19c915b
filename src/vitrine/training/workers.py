"""Several processes of this machine that work on one search."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from vitrine import tracking
from vitrine.core.errors import VitrineError
from vitrine.training.errand import Errand
from vitrine.training.storage import Place

FAREWELL = 5
"""How long a worker may take to give its trial back when a person interrupts: seconds."""


def together(
    errand: Errand, place: Place, run_id: str, count: int, on_death: Callable[[str], None]
) -> None:
    """Let processes of this machine work on a search until it is done, or none of them is left.

    The CPUs are shared out among them; where there are GPUs, each gets one, in turn. Whichever way
    this process ends, they end, too.

    Args:
        errand: The search.
        place: Where its study is; it is there already.
        run_id: The MLflow run of the search.
        count: How many processes.
        on_death: Told, in a line, of each that ended before its time.
    """
    spawned = multiprocessing.get_context("spawn")
    workers: list[BaseProcess] = [
        spawned.Process(
            target=_work,
            args=(errand, place, run_id, (index, count)),
            name=f"worker {index + 1}",
            daemon=True,
        )
        for index in range(count)
    ]
    for worker in workers:
        worker.start()
    try:
        _await(workers, on_death)
    finally:
        for worker in workers:
            worker.join(FAREWELL)
            worker.terminate()
            worker.join()


def _await(workers: list[BaseProcess], on_death: Callable[[str], None]) -> None:
    left: dict[object, BaseProcess] = {worker.sentinel: worker for worker in workers}
    while left:
        for sentinel in wait([worker.sentinel for worker in left.values()]):
            worker = left.pop(sentinel)
            worker.join()
            if worker.exitcode:
                on_death(
                    f"{worker.name} ended with status {worker.exitcode}: its trial is tried again"
                )


def _work(errand: Errand, place: Place, run_id: str, part: tuple[int, int]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _take(*part)
    from vitrine.tracking.store import client
    from vitrine.training.search import searching
    from vitrine.training.trials import Trials

    # The process that started this one meets the same fault, and says so.
    with (
        suppress(VitrineError, KeyboardInterrupt),
        searching(place, errand.tune, errand.train) as search,
    ):
        Trials(errand, tracking.Run(client(), run_id), alone=False).work(search)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _take(index: int, count: int) -> None:
    with _silence():
        import tensorflow as tf
    if gpus := tf.config.list_physical_devices("GPU"):
        mine = gpus[index % len(gpus)]
        tf.config.set_visible_devices([mine], "GPU")
        # Without this the first of several on one GPU would take all of its memory.
        tf.config.experimental.set_memory_growth(mine, True)
        return
    threads = max(1, len(os.sched_getaffinity(0)) // count)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


@contextmanager
def _silence() -> Iterator[None]:
    # TensorFlow writes from C++ about the machine while it is imported: once is enough.
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
