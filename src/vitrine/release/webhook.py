"""The receiver of MLflow's webhook: a signed delivery wakes the watcher, and does nothing else."""

import base64
import hashlib
import hmac
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from vitrine.core.errors import ReleaseError

SECRET = "VITRINE_WEBHOOK_SECRET"  # noqa: S105 - the variable's name
OLDEST = 300.0
"""Seconds after which a delivery is taken for a repeated one."""
LARGEST = 1 << 16
"""Bytes of a body."""
SECONDS = 10.0
"""How long a sender may be silent."""
SENDERS = 16
"""How many may send at the same time; a further one is sent away unheard."""


def signature(secret: str, delivery: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a delivery as MLflow 3 makes it.

    It is HMAC-SHA256 over `<delivery id>.<timestamp>.<body>`, in base64 after `v1,`, as the
    Standard Webhooks convention has it.
    """
    signed = f"{delivery}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery: its id, when it was sent (seconds since 1970), its signature, and the body."""

    id: str
    timestamp: str
    signature: str
    body: bytes

    def is_genuine(self, secret: str, now: float) -> bool:
        """Return whether the signature is right and the delivery not older than `OLDEST`."""
        expected = signature(secret, self.id, self.timestamp, self.body)
        if not hmac.compare_digest(expected.encode(), self.signature.encode()):
            return False
        return self.timestamp.isdecimal() and abs(now - int(self.timestamp)) <= OLDEST


@contextmanager
def receiver(url: str, secret: str, wake: threading.Event) -> Iterator[None]:
    """Listen on the port of an address until the block ends; a genuine delivery sets `wake`.

    Args:
        url: The address under which MLflow reaches this machine; its port is listened on, on all
            interfaces unless it names a loopback address.
        secret: The shared key.
        wake: What a delivery sets.

    Raises:
        ReleaseError: The address has no port, or the port is taken.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("http", "https") or not port:
        raise ReleaseError(f"--webhook must be like http://this-host:8800, but got {url!r}")
    local = parts.hostname in ("127.0.0.1", "localhost")
    try:
        server = _Server(("127.0.0.1" if local else "", port), _handler(secret, wake))
    except OSError as error:
        raise ReleaseError(
            f"--webhook: port {port} cannot be listened on: {error.strerror}; choose another"
        ) from None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """Listens to `SENDERS` at a time, and says nothing of those that break off."""

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._places = threading.BoundedSemaphore(SENDERS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _handler(secret: str, wake: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = SECONDS

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or len(length) > 9 or int(length) > LARGEST:
                self.send_error(413)
                return
            header = self.headers.get
            delivery = Delivery(
                header("X-MLflow-Delivery-Id", ""),
                header("X-MLflow-Timestamp", ""),
                header("X-MLflow-Signature", ""),
                self.rfile.read(int(length)),
            )
            if not delivery.is_genuine(secret, time.time()):
                self.send_error(401)
                return
            wake.set()
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the watcher says what it does."""

    return Handler
