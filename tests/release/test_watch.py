"""The watcher says each thing once, and goes on."""

import threading
from pathlib import Path

import pytest

from vitrine.core.errors import ReleaseError, TrackingError
from vitrine.release import watch as module
from vitrine.release.reconcile import Reconciled
from vitrine.release.watch import Watch


def run(looks: list[Reconciled | Exception], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Watch with these findings, one after the other; return what is said, without the times."""
    stop = threading.Event()
    left = iter(looks)

    def look(*_: object, **__: object) -> Reconciled:
        found = next(left)
        remaining.pop()
        if not remaining:
            stop.set()
        if isinstance(found, Exception):
            raise found
        return found

    remaining = list(looks)
    said: list[str] = []
    monkeypatch.setattr(module, "reconcile", look)
    Watch("vitrine", 0.01, "", "", "").run(said.append, stop)
    return [line.partition(" ")[2] for line in said]


def test_each_finding_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Reconciled("in place", "version 1 is in service")
    gone = TrackingError("MLflow at http://x failed: connection refused")
    new = Reconciled("accepted", "version 2 is in service now")
    then = Reconciled("in place", "version 2 is in service")
    assert run([here, here, gone, gone, here, new, then, then], monkeypatch) == [
        "version 1 is in service",
        "error: MLflow at http://x failed: connection refused; trying again every 0.01 s",
        "version 1 is in service",
        "accepted: version 2 is in service now",
        "version 2 is in service",
    ]


def test_a_bug_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        run([ZeroDivisionError()], monkeypatch)


def test_a_webhook_needs_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VITRINE_WEBHOOK_SECRET", raising=False)
    with pytest.raises(ReleaseError, match="set VITRINE_WEBHOOK_SECRET to a long random text"):
        Watch("vitrine", 1, "", "http://127.0.0.1:8800", "").run(print, threading.Event())


def test_an_embedded_registry_sends_no_webhook(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_WEBHOOK_SECRET", "key")
    with pytest.raises(TrackingError, match="only an MLflow server sends webhooks"):
        Watch("vitrine", 1, "", "http://127.0.0.1:18811", "").run(print, threading.Event())
