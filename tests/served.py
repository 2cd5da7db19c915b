"""The service as real processes: a store with models, a pin, `bentoml serve`, clients of it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from pathlib import Path
from threading import Event
from typing import TypeVar

import httpx
import numpy as np
import PIL.Image

from clones import Clone
from servers import free_port
from vitrine.core.files import write_text
from vitrine.core.pin import BENTOFILE, pinned

T = TypeVar("T")

STORE = """
import shutil, sys
from pathlib import Path
import bentoml

tag, folder, version = sys.argv[1:]
metadata = {"name": "vitrine", "version": version}
with bentoml.models.create(tag, metadata=metadata) as model:
    for file in Path(folder).iterdir():
        shutil.copyfile(file, model.path_of(file.name))
"""


def store(clone: Clone, tag: str, bundle: Path, version: str) -> None:
    """Put a bundle into the clone's BentoML store, as `vitrine package` does."""
    clone.run("python", "-c", STORE, tag, str(bundle), version)


def pin(folder: Path, tag: str) -> None:
    """Pin a model in the folder's bentofile.yaml, as `vitrine package` does."""
    path = folder / BENTOFILE
    write_text(path, pinned(path.read_text(encoding="utf-8"), tag))


@contextmanager
def served(
    *command: str, folder: Path, env: Mapping[str, str]
) -> Iterator[tuple[httpx.Client, Path]]:
    """Run `bentoml serve …` until the block ends; give a client of it and the file of its log."""
    port = str(free_port())
    log = folder / f"serve-{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["bentoml", "serve", *command, "--host", "127.0.0.1", "--port", port],
            cwd=folder,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            _wait_until_ready(client, process, log)
            yield client, log
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@contextmanager
def knocking(send: Callable[[int], T], rate: float) -> Iterator[list[Future[T]]]:
    """Call `send` with 0, 1, 2 … in threads, so often a second, until the block ends."""
    sent: list[Future[T]] = []
    stop = Event()

    def knock(pool: ThreadPoolExecutor) -> None:
        start = time.monotonic()
        for number in count():
            if stop.wait(max(0.0, start + number / rate - time.monotonic())):
                return
            sent.append(pool.submit(send, number))

    with ThreadPoolExecutor(16) as pool, ThreadPoolExecutor(1) as pacer:
        knocks = pacer.submit(knock, pool)
        try:
            yield sent
        finally:
            stop.set()
            knocks.result()


def encoded(kind: str, seed: int = 1) -> bytes:
    """A picture as the bytes of a file."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    picture = PIL.Image.fromarray(noise).resize((300, 400), PIL.Image.Resampling.BICUBIC)
    buffer = BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def post(client: httpx.Client, data: bytes) -> httpx.Response:
    return client.post("/classify", files={"image": ("shoe.jpg", data)})
