"""A connection ends when a request's head is too slow or too large."""

import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from vitrine.serving import connection as module
from vitrine.serving.connection import guard_connections

SECONDS = 0.4
REQUEST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"


async def answer(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """The address of a server that chose its protocol itself, as BentoML's does."""
    app = Starlette(routes=[Route("/", answer, methods=["POST"])])
    with pytest.MonkeyPatch.context() as patch, socket.socket() as listener:
        patch.setattr(module, "HEAD_SECONDS", SECONDS)
        patch.setattr(uvicorn.config, "HTTP_PROTOCOLS", dict(uvicorn.config.HTTP_PROTOCOLS))
        guard_connections()
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none"))
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join()


def answered(connection: socket.socket) -> bool:
    """Read a whole answer; say whether it is a good one."""
    with HTTPResponse(connection) as response:
        response.begin()
        response.read()
        return response.status == 200


def trickled(connection: socket.socket, data: Iterator[bytes]) -> bytes:
    """Send piece after piece until the connection ends; give what came back."""
    connection.settimeout(0.02)
    got = b""
    give_up = time.monotonic() + 10 * SECONDS
    while time.monotonic() < give_up:
        try:
            connection.sendall(next(data))
            piece = connection.recv(1000)
        except TimeoutError:
            continue
        except OSError:
            return got
        if not piece:
            return got
        got += piece
    raise AssertionError("the connection was not ended")


def slow_head() -> Iterator[bytes]:
    yield b"POST / HTTP/1.1\r\nX-Long: "
    while True:
        yield b"x"


def nothing() -> Iterator[bytes]:
    while True:
        yield b""


@pytest.mark.parametrize(
    ("data", "said"), [(slow_head(), b"HTTP/1.1 408 "), (nothing(), b"")], ids=["slow", "idle"]
)
def test_a_head_that_does_not_come_ends_the_connection(
    address: tuple[str, int], data: Iterator[bytes], said: bytes
) -> None:
    start = time.monotonic()
    with socket.create_connection(address) as connection:
        answer = trickled(connection, data)
    assert answer.startswith(said)
    assert bool(answer) == bool(said)
    assert SECONDS * 0.9 < time.monotonic() - start < SECONDS + 1


def test_a_further_request_has_its_own_time(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as connection:
        for _ in range(3):
            connection.sendall(REQUEST[:10])
            time.sleep(SECONDS * 0.5)
            connection.sendall(REQUEST[10:])
            assert answered(connection)
            time.sleep(SECONDS * 0.7)
        assert trickled(connection, slow_head()).startswith(b"HTTP/1.1 408 ")


def test_an_answered_connection_may_be_idle_for_longer(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as connection:
        for _ in range(2):
            connection.sendall(REQUEST)
            assert answered(connection)
            time.sleep(SECONDS * 1.5)


@pytest.mark.parametrize("piece", [b"x" * 10_000, b"X: x\r\n" * 1000], ids=["line", "lines"])
def test_a_head_without_end_is_refused(address: tuple[str, int], piece: bytes) -> None:
    def endless() -> Iterator[bytes]:
        yield b"POST / HTTP/1.1\r\nHost: a\r\n"
        while True:
            yield piece

    with socket.create_connection(address) as connection:
        assert trickled(connection, endless()).startswith(b"HTTP/1.1 431 ")


def test_trailers_without_end_cut_the_connection(address: tuple[str, int]) -> None:
    def endless() -> Iterator[bytes]:
        yield b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
        while True:
            yield b"X: x\r\n" * 1000

    with socket.create_connection(address) as connection:
        start = time.monotonic()
        assert trickled(connection, endless()) == b""
        assert time.monotonic() - start < SECONDS


def test_a_large_body_is_taken_in_chunks_of_any_size(address: tuple[str, int]) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(address) as connection:
        connection.sendall(head + b"1\r\nx\r\n" * 50_000 + b"40000\r\n" + bytes(2**18))
        connection.sendall(b"\r\n0\r\n\r\n")
        assert answered(connection)


def test_a_head_of_some_size_is_taken(address: tuple[str, int]) -> None:
    long = b"X-Long: " + b"x" * 30_000 + b"\r\n"
    with socket.create_connection(address) as connection:
        connection.sendall(REQUEST.replace(b"Host: a\r\n", b"Host: a\r\n" + long))
        assert answered(connection)


def test_a_server_goes_on_after_all_that(address: tuple[str, int]) -> None:
    idle = [socket.create_connection(address) for _ in range(200)]
    with socket.create_connection(address) as connection:
        connection.sendall(REQUEST)
        assert answered(connection)
    for connection in idle:
        connection.close()
