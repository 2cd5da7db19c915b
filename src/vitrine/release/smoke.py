"""One real request to a real `bentoml serve`, as a last look before anybody else sends one."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.core.errors import ServiceError

READY_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What the service said.

    Args:
        ready_seconds: From starting the process to its being ready.
        answer_seconds: From sending the image to having the answer.
        body: The answer's JSON.
    """

    ready_seconds: float
    answer_seconds: float
    body: dict[str, Any]


def smoke(image: Path) -> Answer:
    """Start `bentoml serve` in the working directory, classify one image, and stop it again.

    Raises:
        ServiceError: The service does not come up, or does not answer with status 200.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.perf_counter()
    with _served(port) as process:
        _wait(process, f"http://127.0.0.1:{port}/readyz")
        ready = time.perf_counter()
        body = _classify(f"http://127.0.0.1:{port}/classify", image)
        return Answer(ready - start, time.perf_counter() - ready, body)


@contextmanager
def _served(port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        ["bentoml", "serve", "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # The workers are children of the process: the whole group has to go.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def _wait(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = process.stdout.read().strip() if process.stdout else ""
            raise ServiceError(f"bentoml serve ended before it was ready: {said}")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return
        except OSError:
            time.sleep(0.1)
    raise ServiceError(
        f"bentoml serve was not ready within {READY_SECONDS:.0f} s; run it to see why"
    )


def _classify(url: str, image: Path) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - our own address
        url, data=image.read_bytes(), headers={"Content-Type": "application/octet-stream"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            body: dict[str, Any] = json.load(response)
            return body
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")
        raise ServiceError(f"the service answered {error.code} to {image}: {said}") from None
