"""ASGI middlewares that keep strangers and slow clients out."""

import asyncio
from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrine.serving.keys import Key, matching
from vitrine.serving.metrics import Metrics
from vitrine.serving.problems import problem

KEY_HEADER = b"x-api-key"
BEARER = b"bearer "
OPEN_PATHS = frozenset({"/", "/livez", "/readyz", "/openapi.json"})
"""What anyone may ask for: none of it costs an inference or names the model."""

OPEN_FOLDER = "/static/"


class KeyGuard:
    """Refuses requests without a known key with 401.

    It stands inside of `Reception`, which gives a request its id.

    Args:
        app: What is protected.
        keys: Those that open it; none = everyone may.
        metrics: Count the refusals.
    """

    def __init__(self, app: ASGIApp, keys: Iterable[Key], metrics: Metrics) -> None:
        self._app = app
        self._keys = tuple(keys)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on that may be."""
        if scope["type"] == "lifespan" or not self._keys or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        secret = _secret(dict(scope["headers"]))
        if secret and matching(self._keys, secret):
            await self._app(scope, receive, send)
            return
        self._metrics.refused("key")
        found = "the key is not known here" if secret else "a key is needed"
        text = f"{found}; send yours in the header X-Api-Key"
        headers = {"WWW-Authenticate": "ApiKey"}
        response = problem(scope["state"]["request_id"], 401, text, headers)
        await response(scope, receive, send)


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDER)


def _secret(headers: dict[bytes, bytes]) -> bytes:
    given = headers.get(b"authorization", b"")
    bearer = given[len(BEARER) :] if given[: len(BEARER)].lower() == BEARER else b""
    return (headers.get(KEY_HEADER) or bearer).strip()


class BodyDeadline:
    """Refuses a request whose body takes too long with 408, and cuts its connection.

    An answer that comes before the whole body waits for the rest, within the same time: a client
    that is still sending would see a broken connection in its place. So this stands outside of
    what may answer without reading: `KeyGuard` and `BodyLimit`.

    Args:
        app: What is protected.
        seconds: From the end of a request's head to the end of its body.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body timed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _TimedBody(scope, receive, self._seconds)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and not await body.drained():
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, body.receive, answer)


class _TimedBody:
    def __init__(self, scope: Scope, receive: Receive, seconds: float) -> None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        self._whole = b"transfer-encoding" not in headers and length == b"0"
        # Such a client sends nothing unless it is asked to, which reading would do.
        self._waits = b"expect" in headers
        self._receive = receive
        self._seconds = seconds
        self._deadline = asyncio.get_running_loop().time() + seconds

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(
                408, f"the body had not come within {self._seconds:g} s; send a smaller image"
            ) from None
        self._waits = False
        self._whole = not message.get("more_body", False)
        return message

    async def drained(self) -> bool:
        try:
            while not (self._whole or self._waits):
                await self.receive()
        except HTTPException:
            return False
        return self._whole
