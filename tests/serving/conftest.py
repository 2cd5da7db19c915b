"""The service's own app on a real socket, in a thread of this process."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import PIL.Image
import pytest
import uvicorn
from starlette.applications import Starlette

from vitrine.serving.app import create_app
from vitrine.serving.model import PackagedModel
from vitrine.serving.settings import Settings

MAX_BODY_BYTES = 200_000


def pytest_itemcollected(item: pytest.Item) -> None:
    """Name the operation in the ids of Schemathesis's tests, which are all one under pytest 9.2."""
    if not item.nodeid.endswith(item.name):
        item._id = item.id.with_params(item.name.partition("[")[2].removesuffix("]"))


@contextmanager
def running(app: Starlette) -> Iterator[httpx.Client]:
    """Run an app until the block ends; give a client of it."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


Run = Callable[[Starlette], AbstractContextManager[httpx.Client]]


@pytest.fixture(scope="session")
def run_app() -> Run:
    """The function that runs an app."""
    return running


@pytest.fixture(scope="session")
def packaged(tiny_bundle: Path) -> PackagedModel:
    """The tiny bundle as if it came out of BentoML's store."""
    return PackagedModel(tiny_bundle, "vitrine:v7-0123abcd", "vitrine", "7")


@pytest.fixture(scope="session")
def client(packaged: PackagedModel) -> Iterator[httpx.Client]:
    """A client of the running app."""
    settings = Settings(workers=3, max_body_bytes=MAX_BODY_BYTES)
    with running(create_app(packaged, settings, None)) as client:
        yield client


@pytest.fixture(scope="session")
def picture() -> PIL.Image.Image:
    """Some picture of 50 x 40 pixels."""
    noise = np.random.default_rng(5).integers(0, 256, (5, 4, 3), np.uint8)
    return PIL.Image.fromarray(noise).resize((40, 50), PIL.Image.Resampling.BICUBIC)


@pytest.fixture(scope="session")
def jpeg(picture: PIL.Image.Image) -> bytes:
    """The picture as the bytes of a JPEG file."""
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
