"""Numbers beside a training: they arrive, and a server that is away neither stops nor slows it."""

import socket
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from vitrine import tracking
from vitrine.tracking import curves

NOBODY = "http://127.0.0.1:9"
"""Where no server listens."""


@pytest.fixture
def run(store: Path) -> tracking.Run:
    """A run in the embedded store."""
    with tracking.pipeline_run(None) as made:
        return made


@pytest.fixture
def away(run: tracking.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server be away, and be tried again soon."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", NOBODY)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(curves, "AGAIN", 0.05)


def _logged(store: Path, run: tracking.Run, name: str) -> list[tuple[int, float]]:
    history = MlflowClient(f"sqlite:///{store / 'mlflow.db'}").get_metric_history(run.id, name)
    return [(entry.step, entry.value) for entry in history]


def test_numbers_are_there_at_the_end(run: tracking.Run, store: Path) -> None:
    drawn = tracking.Curves(run)
    for step in range(250):
        drawn.add({"loss": 1 / (step + 1), "rate": 0.5}, step)
    assert drawn.close() == ""
    assert _logged(store, run, "loss") == [(step, 1 / (step + 1)) for step in range(250)]
    assert len(_logged(store, run, "rate")) == 250


def test_a_server_that_was_away_gets_them_when_it_is_back(
    run: tracking.Run, store: Path, away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = tracking.Curves(run)
    for step in range(3):
        drawn.add({"loss": float(step)}, step)
        time.sleep(0.1)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert drawn.close() == ""
    assert _logged(store, run, "loss") == [(0, 0.0), (1, 1.0), (2, 2.0)]


def test_a_server_that_stays_away_loses_them_and_costs_nothing(
    run: tracking.Run, away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "ROOM", 100)
    drawn = tracking.Curves(run)
    begun = time.perf_counter()
    for step in range(150):
        drawn.add({"loss": 1.0}, step)
    assert time.perf_counter() - begun < 1
    lost = drawn.close()
    assert lost.startswith(
        "150 numbers of the curves were not logged: MLflow at http://127.0.0.1:9"
    )
    assert "connection refused" in lost


def test_a_server_that_does_not_answer_is_not_waited_for(
    run: tracking.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "FAREWELL", 0.5)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        drawn = tracking.Curves(run)
        drawn.add({"loss": 1.0, "rate": 0.5}, 1)
        begun = time.perf_counter()
        lost = drawn.close()
        assert time.perf_counter() - begun < 5
    words = "2 numbers of the curves were not confirmed: MLflow did not answer within"
    assert lost.startswith(words)


def test_any_other_fault_is_told_and_does_not_end_the_curves(
    run: tracking.Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ValueError("not a number of theirs")

    monkeypatch.setattr(curves, "AGAIN", 0.05)
    working = curves.client
    monkeypatch.setattr(curves, "client", broken)
    drawn = tracking.Curves(run)
    drawn.add({"loss": 1.0}, 1)
    time.sleep(0.1)
    monkeypatch.setattr(curves, "client", working)
    assert drawn.close() == ""
    assert _logged(store, run, "loss") == [(1, 1.0)]

    monkeypatch.setattr(curves, "client", broken)
    lost = tracking.Curves(run)
    lost.add({"loss": 1.0}, 2)
    words = "1 numbers of the curves were not logged: ValueError: not a number of theirs"
    assert lost.close() == words
