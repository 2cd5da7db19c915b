"""A `bentoml serve` of our own on a free port of this machine, for as long as it is needed."""

import ctypes
import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.core.errors import ServiceError
from vitrine.release.running_service import classify

PRIVATE = {"VITRINE_SERVING_KEYS": "", "VITRINE_SERVING_LOG": ""}
"""Settings of a service that nobody else uses: no key to ask for, no predictions to keep."""
READY_SECONDS = 60.0
ATTEMPTS = 3
"""How often a service is started whose port somebody else has taken meanwhile."""
SAID = 2000
"""Characters of what a process said last that a message holds."""
PR_SET_PDEATHSIG = 1
"""The number in Linux of "send me a signal when my parent ends"."""


@dataclass(frozen=True, slots=True)
class LocalService:
    """A service that is ready.

    Args:
        url: Its address.
        ready_seconds: From starting the process to its being ready.
    """

    url: str
    ready_seconds: float

    def classify(self, image: bytes, name: str) -> dict[str, Any]:
        """Return the answer to one encoded image.

        Raises:
            ServiceError: It does not answer with status 200.
        """
        return classify(self.url, image, name)


@contextmanager
def local_service(what: str, folder: Path, variables: Mapping[str, str]) -> Iterator[LocalService]:
    """Run `bentoml serve WHAT` in a folder until the block ends.

    On Linux it also ends with this process, however that ends.

    Args:
        what: A Bento's tag, or `.` for what the folder's bentofile.yaml names.
        folder: The working directory of the process.
        variables: Of its environment, beside those of this process.

    Raises:
        ServiceError: It does not come up.
    """
    start = time.perf_counter()
    process, url = _start(what, folder, {**os.environ, **PRIVATE, **variables})
    try:
        yield LocalService(url, time.perf_counter() - start)
    finally:
        _stop(process)


def _start(what: str, folder: Path, env: Mapping[str, str]) -> tuple["subprocess.Popen[str]", str]:
    """Return a service that is ready, and its address."""
    for left in reversed(range(ATTEMPTS)):
        port = _free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "bentoml", "serve", what, "--host", "127.0.0.1", "--port", port],
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(process, f"{url}/readyz")
        except BaseException as error:
            _stop(process)
            # Between the choice of a port and its use another process may have taken it.
            if not left or os.strerror(errno.EADDRINUSE) not in str(error):
                raise
        else:
            return process, url
    raise AssertionError("the last attempt returns or raises")


def _free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def _end_with_parent() -> None:
    # Else a killed `vitrine package` would leave the service running for ever.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(process: "subprocess.Popen[str]") -> None:
    # The workers are children of the process: the whole group has to go.
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _wait(process: "subprocess.Popen[str]", url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = process.stdout.read().strip() if process.stdout else ""
            raise ServiceError(f"bentoml serve ended before it was ready: {said[-SAID:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
    raise ServiceError(
        f"bentoml serve was not ready within {READY_SECONDS:.0f} s; run it to see why"
    )
