"""A service of our own comes up although somebody takes its port at the last moment."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import free_port
from vitrine.core.errors import ServiceError
from vitrine.release import local_service

STAND_IN = """
import http.server, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
class Ready(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer.allow_reuse_address = False
http.server.HTTPServer(("127.0.0.1", port), Ready).serve_forever()
"""
"""In the place of BentoML, which takes seconds: what it prints when a port is taken is Python's."""


@pytest.fixture
def taken() -> Iterator[str]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory in which `python -m bentoml` is the stand-in."""
    (tmp_path / "bentoml").mkdir()
    (tmp_path / "bentoml/__init__.py").touch()
    (tmp_path / "bentoml/__main__.py").write_text(STAND_IN, encoding="utf-8")
    return tmp_path


def test_a_port_that_is_taken_meanwhile_is_changed(
    folder: Path, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = str(free_port())
    ports = iter([taken, free])
    monkeypatch.setattr(local_service, "_free_port", lambda: next(ports))
    with local_service.local_service(".", folder, {}) as service:
        assert service.url == f"http://127.0.0.1:{free}"


def test_it_gives_up_when_no_port_is_free(
    folder: Path, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_service, "_free_port", lambda: taken)
    with (
        pytest.raises(ServiceError, match="Address already in use"),
        local_service.local_service(".", folder, {}),
    ):
        pytest.fail("it came up")
