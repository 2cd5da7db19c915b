"""Strangers and slow clients are kept out: keys, and the time of a body."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from vitrine.serving.guard import BodyDeadline, KeyGuard
from vitrine.serving.keys import Key, hash_of
from vitrine.serving.reception import Reception

Run = Callable[[Starlette], AbstractContextManager[httpx.Client]]

KEYS = (Key("shop", hash_of(b"first")), Key("page", hash_of(b"second")))
SECONDS = 0.4


@dataclass
class Refusals:
    """Stands for the metrics."""

    reasons: list[str] = field(default_factory=list)

    def refused(self, reason: str) -> None:
        self.reasons.append(reason)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Requests are of no interest here."""


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def deaf(_: Request) -> Response:
    return PlainTextResponse("not read")


async def told(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


def app_behind(*middleware: Middleware) -> Starlette:
    routes = [
        Route(path, echo, methods=["GET", "POST"])
        for path in ("/", "/livez", "/openapi.json", "/static/page.js", "/classify", "/model")
    ]
    routes.append(Route("/deaf", deaf, methods=["POST"]))
    return Starlette(
        routes=routes, middleware=list(middleware), exception_handlers={HTTPException: told}
    )


def app_for(keys: tuple[Key, ...], metrics: Refusals) -> Starlette:
    return app_behind(
        Middleware(Reception, metrics=metrics, seconds=5),
        Middleware(KeyGuard, keys=keys, metrics=metrics),
    )


@pytest.fixture(scope="module")
def counted(run_app: Run) -> Iterator[tuple[httpx.Client, Refusals]]:
    refusals = Refusals()
    with run_app(app_for(KEYS, refusals)) as client:
        yield client, refusals


@pytest.fixture
def guarded(counted: tuple[httpx.Client, Refusals]) -> httpx.Client:
    """A client of an app that two keys open."""
    return counted[0]


@pytest.fixture
def refusals(counted: tuple[httpx.Client, Refusals]) -> Refusals:
    """What that app refuses from now on."""
    counted[1].reasons.clear()
    return counted[1]


@pytest.fixture(scope="module")
def timed(run_app: Run) -> Iterator[httpx.Client]:
    """A client of an app that waits for bodies for a moment."""
    with run_app(app_behind(Middleware(BodyDeadline, seconds=SECONDS))) as client:
        yield client


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Api-Key": "first"},
        {"x-api-key": "second"},
        {"Authorization": "Bearer first"},
        {"Authorization": "bearer  second"},
        {"Authorization": "Basic Zm9v", "X-Api-Key": "first"},
    ],
)
def test_a_known_key_opens(
    guarded: httpx.Client, refusals: Refusals, headers: dict[str, str]
) -> None:
    assert guarded.post("/classify", headers=headers).status_code == 200
    assert refusals.reasons == []


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "a key is needed"),
        ({"X-Api-Key": ""}, "a key is needed"),
        ({"Authorization": "Basic first"}, "a key is needed"),
        ({"X-Api-Key": "third"}, "not known"),
        ({"X-Api-Key": hash_of(b"first")}, "not known"),
        ({"X-Api-Key": "third", "Authorization": "Bearer first"}, "not known"),
    ],
)
@pytest.mark.parametrize("path", ["/classify", "/model", "/nothing", "/static", "/classify/"])
def test_anything_else_does_not(
    guarded: httpx.Client, refusals: Refusals, path: str, headers: dict[str, str], words: str
) -> None:
    response = guarded.post(path, headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "ApiKey"
    assert words in response.json()["error"]
    assert "X-Api-Key" in response.json()["error"]
    assert response.json()["request_id"] == response.headers["X-Request-Id"]
    assert "third" not in response.text
    assert refusals.reasons == ["key"]


@pytest.mark.parametrize("path", ["/", "/livez", "/openapi.json", "/static/page.js"])
def test_some_paths_are_open_to_all(guarded: httpx.Client, path: str) -> None:
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize(
    "target", ["/static/../model", "/static/%2e%2e/model", "/static/..%2fmodel", "/static//model"]
)
def test_an_open_path_leads_nowhere_else(guarded: httpx.Client, target: str) -> None:
    address = (guarded.base_url.host, guarded.base_url.port)
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 404 ")


def test_without_keys_everyone_may(run_app: Run) -> None:
    with run_app(app_for((), Refusals())) as client:
        assert client.post("/classify").status_code == 200


def sent_slowly(client: httpx.Client, path: str, *, head: str = "Content-Length: 50") -> bytes:
    """Send a byte of a body every 0.05 s until the connection ends; give what came back."""
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.settimeout(0.05)
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n".encode())
        answer = b""
        give_up = time.monotonic() + 10 * SECONDS
        while time.monotonic() < give_up:
            try:
                connection.sendall(b"1\r\nx\r\n" if "chunked" in head else b"x")
                got = connection.recv(1000)
            except TimeoutError:
                continue
            except OSError:
                return answer
            if not got:
                return answer
            answer += got
    raise AssertionError("the connection was not cut")


@pytest.mark.parametrize("head", ["Content-Length: 50", "Transfer-Encoding: chunked"])
def test_a_slow_body_is_refused_and_cut(timed: httpx.Client, head: str) -> None:
    start = time.monotonic()
    answer = sent_slowly(timed, "/classify", head=head)
    assert SECONDS * 0.9 < time.monotonic() - start < SECONDS + 1
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
    assert b"had not come within 0.4 s" in answer


def test_a_body_that_nobody_reads_does_not_hold_the_connection(timed: httpx.Client) -> None:
    answer = sent_slowly(timed, "/deaf")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer.lower()


def test_a_refusal_reaches_a_client_that_is_still_sending(timed: httpx.Client) -> None:
    for _ in range(3):
        response = timed.post("/deaf", content=bytes(20_000_000))
        assert response.text == "not read"
        assert "connection" not in response.headers


def test_a_client_that_waits_to_be_asked_is_refused_at_once(timed: httpx.Client) -> None:
    head = b"POST /deaf HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
    start = time.monotonic()
    with socket.create_connection((timed.base_url.host, timed.base_url.port)) as connection:
        connection.sendall(head)
        answer = b"".join(iter(lambda: connection.recv(1000), b""))
    assert time.monotonic() - start < SECONDS
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_what_comes_in_time_passes(timed: httpx.Client) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(3):
            time.sleep(SECONDS / 5)
            yield bytes(1000)

    assert timed.post("/classify", content=parts()).text == "3000"
    assert timed.post("/classify", content=bytes(3_000_000)).text == "3000000"
    assert timed.post("/classify").text == "0"
    assert timed.get("/model").text == "0"


def test_a_client_that_goes_away_does_no_harm(timed: httpx.Client) -> None:
    address = (timed.base_url.host, timed.base_url.port)
    for path in ("/classify", "/deaf"):
        with socket.create_connection(address) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"
            connection.sendall(head.encode())
    assert timed.post("/classify", content=b"abc").text == "3"
