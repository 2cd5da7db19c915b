"""Where the workers of one server count together, so that each can tell the sum."""

import atexit
import os
import shutil
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

import prometheus_client
import prometheus_client.values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from vitrine.core.errors import ServiceError
from vitrine.serving.claims import claim, is_abandoned, unheld

FOLDER = "VITRINE_METRICS_FOLDER"
"""The variable by which the workers find the folder of their server; it is no setting."""

NAME = "vitrine-metrics-"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of a random name is made in it
KINDS = ("counter", "histogram", "gauge_livesum")
FILE_BYTES = 2**18


def share_folder(environment: MutableMapping[str, str] = os.environ) -> None:
    """Make a folder for this server's workers; to be called before they are started.

    It goes when this process ends. If that was killed, the next server of this user sweeps it up.
    It lies in memory where it can: a write through a memory map into a file on a disk may stall.

    Raises:
        ServiceError: It cannot be made.
    """
    parent = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    try:
        for old in parent.glob(f"{NAME}*"):
            if old.stat().st_uid == os.getuid() and is_abandoned(old):
                shutil.rmtree(old, ignore_errors=True)
        folder = tempfile.mkdtemp(prefix=NAME, dir=parent)
        # Held while this process lives: until then the folder is not abandoned.
        claim(Path(folder))
    except OSError as error:
        raise ServiceError(
            f"no folder for the metrics can be made in {parent}: {error}; make room there"
        ) from None
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    environment[FOLDER] = folder


def join_folder(folder: Path) -> None:
    """Let what this process counts from now on go into a server's folder.

    A worker that takes the place of a dead one goes on with the counters of that one, so that
    neither the sums fall nor the files become more.

    Raises:
        ServiceError: It is gone, or has no room.
    """
    try:
        number = claim(folder).number
        _forget(number, folder)
        for kind in KINDS:
            _reserve(folder / f"{kind}_{number}.db")
    except OSError as error:
        raise ServiceError(f"metrics cannot be kept in {folder}: {error}; make room") from None
    # BentoML sets this variable to a folder that servers share and wipe.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    shared = prometheus_client.values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]
    prometheus_client.values.ValueClass = shared


def read_folder(folder: Path) -> prometheus_client.CollectorRegistry:
    """Return what all workers of a server have counted, less what dead ones had at the moment.

    Raises:
        ServiceError: It is gone.
    """
    for dead in unheld(folder):
        _forget(dead.number, folder)
        dead.free()
    registry = prometheus_client.CollectorRegistry()
    try:
        MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    except ValueError:
        raise ServiceError(f"the metrics' folder {folder} is gone; start the server anew") from None
    return registry


def _forget(number: int, folder: Path) -> None:
    mark_process_dead(number, str(folder))  # type: ignore[no-untyped-call]


def _reserve(path: Path) -> None:
    # Written through a memory map: without room that would be a signal that ends the worker. And
    # a reader must never find a file that is still empty.
    if path.exists():
        return
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, FILE_BYTES)
    temporary.replace(path)
