"""What every request meets first: it gets an id, is timed, counted, and answered in any case."""

import asyncio
import logging
import re
import time
import uuid

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrine.serving.metrics import Metrics
from vitrine.serving.openapi import ID_HEADER
from vitrine.serving.problems import problem

TAKEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
OTHER = "other"
"""Stands for all paths that are none of ours: they would be labels without end."""
BROKEN_OFF = 499
"""Counted for a request that was given up before its answer began."""
FAILURES = {
    500: "the service failed on this request; its log says why",
    504: "the answer took too long; try again later",
}

logger = logging.getLogger("bentoml.vitrine")


class Reception:
    """ASGI middleware around everything else.

    A request's id is taken from its header `X-Request-Id`, or made; it is kept in the scope's
    state as `request_id` and sent back. What takes too long is ended with 504. A fault of our own
    is logged and answered with 500 without its details.

    Args:
        app: What answers.
        metrics: Count the requests.
        seconds: From a request's head to the end of its answer.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, seconds: float) -> None:
        self._app = app
        self._metrics = metrics
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        header = (ID_HEADER.lower().encode(), request_id.encode())
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        try:
            await self._run(scope, receive, answer)
        except Exception as error:
            failure = 504 if isinstance(error, _TookTooLong) else 500
            self._metrics.refused("timeout" if failure == 504 else "fault")
            if failure == 500:
                logger.exception("a fault of Vitrine's own in the request %s", request_id)
            if status:
                raise  # the answer breaks off, and the server cuts the connection
            await problem(request_id, failure, FAILURES[failure])(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - start
            self._metrics.request(_route(scope), status or BROKEN_OFF, seconds)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._seconds) as limit:
                await self._app(scope, receive, send)
        except TimeoutError as error:
            if limit.expired():
                raise _TookTooLong from error
            raise


class _TookTooLong(Exception):
    """The time for a request is over."""


def _request_id(scope: Scope) -> str:
    given: bytes = dict(scope["headers"]).get(ID_HEADER.lower().encode(), b"")
    return given.decode() if TAKEN_ID.fullmatch(given) else uuid.uuid4().hex


def _route(scope: Scope) -> str:
    # Not the path: it may be anything.
    route = scope.get("route")
    return route.path if isinstance(route, Route) else OTHER
