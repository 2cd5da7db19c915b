"""GitHub is told of each version in service: once, and again until it takes it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from vitrine import tracking
from vitrine.core.errors import ReleaseError, TrackingError
from vitrine.release import watch as module
from vitrine.release.dispatch import Dispatch
from vitrine.release.reconcile import Reconciled
from vitrine.release.watch import Watch

REPOSITORY = "shop/vitrine"
HERE = Reconciled("in place", "version 1 is in service")


@dataclass
class GitHub:
    """What a server in the place of GitHub's has to answer, and what it was sent."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[str, str | None, dict[str, Any]]] = field(default_factory=list)


@contextmanager
def github(*statuses: int) -> Iterator[GitHub]:
    """Answer with these statuses one after the other, then with 204."""
    sent = GitHub(statuses=[*statuses])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            sent.received.append((self.path, self.headers["Authorization"], body))
            status = sent.statuses.pop(0) if sent.statuses else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{sent.url}/elsewhere")
            self.end_headers()
            if status >= 400:
                self.wfile.write(b'{"message": "Not Found"}')

        def do_GET(self) -> None:
            sent.received.append((self.path, self.headers["Authorization"], {}))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    sent.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield sent
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def accept(number: str, *, kind: tracking.Kind = "promotion") -> None:
    """Record that a version went into service."""
    tracking.record_release(
        tracking.Release(
            model="vitrine",
            version=number,
            outcome="accepted",
            replaced="",
            kind=kind,
            by="me",
            why="",
            promotion="",
            at="2026-01-01T00:00:00+00:00",
            bento="",
            bundle_digest="",
            data_digest="",
            git_commit="",
        )
    )


@pytest.fixture
def registry(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions, of which the first is in service."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    client.create_registered_model("vitrine")
    for digest in ("aa" * 32, "bb" * 32):
        client.create_model_version("vitrine", store.as_uri(), tags={"bundle_digest": digest})
    accept("1")
    monkeypatch.setenv("GITHUB_TOKEN", "a token")


def event(number: str, digest: str) -> tuple[str, str, dict[str, Any]]:
    payload = {"model": "vitrine", "version": number, "bundle_digest": digest * 32}
    body = {"event_type": "model-promoted", "client_payload": payload}
    return f"/repos/{REPOSITORY}/dispatches", "Bearer a token", body


def test_a_version_is_told_once_however_often_a_watcher_starts(
    registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with github() as server:
        monkeypatch.setenv("GITHUB_API_URL", f"{server.url}/")
        said = Dispatch(REPOSITORY).tell("vitrine")
        assert said == "GitHub was told: shop/vitrine makes an image of version 1"
        assert Dispatch(REPOSITORY).tell("vitrine") == ""
        accept("2")
        dispatch = Dispatch(REPOSITORY)
        assert "version 2" in dispatch.tell("vitrine")
        accept("1", kind="rollback")
        assert dispatch.tell("vitrine") == ""
    assert server.received == [event("1", "aa"), event("2", "bb")]


def test_it_is_not_told_twice_when_that_cannot_be_noted(
    registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise TrackingError("gone")

    with github() as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        dispatch = Dispatch(REPOSITORY)
        with monkeypatch.context() as broken, pytest.raises(TrackingError):
            broken.setattr(tracking, "set_version_tags", refuse)
            dispatch.tell("vitrine")
        assert "version 1" in dispatch.tell("vitrine")
    assert len(server.received) == 1


def test_nothing_in_service_is_nothing_to_tell(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "a token")
    assert Dispatch(REPOSITORY).tell("vitrine") == ""


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, r'dispatches answered 404 \{"message": "Not Found"\}; see whether'),
        (200, "dispatches answered 200; see whether"),
        (302, "dispatches answered 200; see whether"),
    ],
)
def test_anything_but_204_is_a_refusal_and_the_token_goes_to_no_other_place(
    status: int, words: str, registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with github(status) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        with pytest.raises(ReleaseError, match=words):
            Dispatch(REPOSITORY).tell("vitrine")
    assert [key for _, key, _ in server.received[1:]] == [None] * (status == 302)


def test_nobody_there(registry: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    with pytest.raises(ReleaseError, match=r"does not answer \(.*refused.*whether GITHUB_TOKEN"):
        Dispatch(REPOSITORY).tell("vitrine")


def test_a_wrong_repository_and_a_missing_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReleaseError, match="--dispatch must be OWNER/REPO, but got 'vitrine'"):
        Dispatch("vitrine")
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with pytest.raises(ReleaseError, match="set GITHUB_TOKEN to one that may write the contents"):
        Watch("vitrine", 1, "", "", REPOSITORY).run(print, threading.Event())


def test_the_watcher_says_a_failure_once_and_tries_again(
    registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = [HERE] * 4 + [Reconciled("accepted", "version 2 is in service now")] + [HERE] * 2
    left = [*looks]
    stop = threading.Event()

    def look(*_: object, **__: object) -> Reconciled:
        found = left.pop(0)
        if found.state == "accepted":
            accept("2")
        if not left:
            stop.set()
        return found

    monkeypatch.setattr(module, "reconcile", look)
    said: list[str] = []
    with github(500, 500) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        Watch("vitrine", 0.01, "", "", REPOSITORY).run(said.append, stop)
    words = [line.partition(" ")[2] for line in said]
    assert words[1].startswith("error: GitHub was not told of version 1: http://127.0.0.1:")
    assert words[1].endswith("trying again every 0.01 s")
    assert [words[0], *words[2:]] == [
        "version 1 is in service",
        "GitHub was told: shop/vitrine makes an image of version 1",
        "accepted: version 2 is in service now",
        "GitHub was told: shop/vitrine makes an image of version 2",
        "version 1 is in service",
    ]
    assert server.received == [event("1", "aa")] * 3 + [event("2", "bb")]
