"""The workers of a server take its connections evenly."""

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from vitrine.serving import accepting
from vitrine.serving.accepting import Tally, share_connections
from vitrine.serving.connection import guard_connections
from vitrine.serving.counting import FOLDER

Visit = Callable[[], str]


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Workers of one server, patient enough for a busy machine."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setattr(accepting, "PATIENCE", 0.3)
    for table in ("LOOP_FACTORIES", "HTTP_PROTOCOLS"):
        monkeypatch.setattr(uvicorn.config, table, dict(getattr(uvicorn.config, table)))
    share_connections()
    guard_connections()


@contextmanager
def worker(name: str, listener: socket.socket) -> Iterator[None]:
    """Run a worker that answers with its name."""

    async def answer(_: Request) -> Response:
        return PlainTextResponse(name)

    app = Starlette(routes=[Route("/", answer)])
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener.dup()]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as shared:
        shared.bind(("127.0.0.1", 0))
        yield shared


@pytest.fixture
def visit(listener: socket.socket) -> Iterator[Visit]:
    """Open a connection that stays; say who answered on it."""
    with ExitStack() as connections:

        def one() -> str:
            connection = HTTPConnection(*listener.getsockname(), timeout=20)
            connections.callback(connection.close)
            connection.request("GET", "/")
            return connection.getresponse().read().decode()

        yield one
    # uvicorn waits at its end for those that are still open.


def test_connections_are_shared_evenly(listener: socket.socket, visit: Visit) -> None:
    with worker("one", listener), worker("two", listener):
        answered = Counter(visit() for _ in range(20))
    assert set(answered) == {"one", "two"}
    assert abs(answered["one"] - answered["two"]) <= 2


def test_a_worker_that_is_gone_is_not_waited_for_long(
    listener: socket.socket, visit: Visit
) -> None:
    with worker("one", listener):
        with worker("two", listener):
            assert {visit() for _ in range(4)} == {"one", "two"}
        start = time.monotonic()
        assert {visit() for _ in range(4)} == {"one"}
        assert time.monotonic() - start < 4 * 0.3 + 5


def test_a_worker_that_comes_later_gets_the_next_connections(
    listener: socket.socket, visit: Visit
) -> None:
    with worker("one", listener):
        assert {visit() for _ in range(4)} == {"one"}
        with worker("two", listener):
            assert [visit() for _ in range(3)] == ["two"] * 3


def test_without_files_for_more_connections_it_goes_on_later(
    listener: socket.socket, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "PAUSE", 0.1)
    with worker("one", listener):
        assert visit() == "one"
        held = []
        with suppress(OSError):
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        os.close(held.pop())  # for the client's own socket
        timer = threading.Timer(0.5, lambda: [os.close(file) for file in held])
        timer.start()
        try:
            assert visit() == "one"
        finally:
            timer.join()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_nobody_waits_for_a_worker_that_died_or_left(tmp_path: Path) -> None:
    died = f"""
from pathlib import Path
from vitrine.serving.accepting import Tally
Tally(Path({str(tmp_path)!r})).note(1)
"""
    subprocess.run([sys.executable, "-c", died], check=True)
    one, two = Tally(tmp_path), Tally(tmp_path)  # the first takes the place of the dead one
    one.note(3)
    two.note(3)
    subprocess.run([sys.executable, "-c", died], check=True)
    assert one.others_have_fewer()
    one.forget_dead()
    assert not one.others_have_fewer()
    two.note(1)
    assert one.others_have_fewer()
    two.leave()
    assert not one.others_have_fewer()


def test_the_tally_knows_who_has_fewer(tmp_path: Path) -> None:
    one, two = Tally(tmp_path), Tally(tmp_path)
    assert not one.others_have_fewer()
    one.note(2)
    assert one.others_have_fewer()
    assert not two.others_have_fewer()
    two.note(2)
    assert not one.others_have_fewer()
