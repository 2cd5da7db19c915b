"""What uvicorn leaves out: a connection ends when a request's head is too slow or too large."""

import asyncio

import uvicorn.config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""In which a new connection must have sent the head of its first request, and each further request
its own, from its first byte on. Between two requests uvicorn's keep-alive time holds."""

HEAD_BYTES = 2**16
"""Beyond which what neither ends a head nor belongs to a body is refused with 431; a head that
arrives at once may be larger, up to what a single read takes. uvicorn would keep it all, the
trailers of a body, too."""

REFUSAL = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class GuardedConnection(HttpToolsProtocol):
    """uvicorn's protocol of one connection, with limits on what is no body."""

    _unfinished_bytes = 0
    _has_begun = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time of the first request."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what leads to nothing."""
        self._unfinished_bytes += len(data)
        super().data_received(data)
        if self._unfinished_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._end(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """Start the time of a further request, and the count."""
        super().on_message_begin()
        self._has_begun = True
        self._unfinished_bytes = 0
        if self._timer is None:
            self._start_timer()

    def on_headers_complete(self) -> None:
        """Stop the time, and start the count anew."""
        self._unfinished_bytes = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Start the count anew."""
        self._unfinished_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Start the count anew."""
        self._unfinished_bytes = 0
        super().on_message_complete()

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._time_is_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_is_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self._end(b"408 Request Timeout")

    def _end(self, status: bytes) -> None:
        # Nothing is said on a connection that never asked, nor into the answer to an earlier
        # request.
        if self._has_begun and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(REFUSAL % status)
        self.transport.close()


def guard_connections() -> None:
    """Let uvicorn take this protocol where it chooses one itself, as under `bentoml serve`.

    BentoML starts uvicorn without a way to name a protocol.
    """
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{GuardedConnection.__name__}"
