"""The tracking store can be used, or the reason why not is said in one line."""

import socket
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from vitrine import tracking
from vitrine.core.errors import TrackingError


def test_without_an_address_the_store_is_in_the_working_directory(store: Path) -> None:
    tracking.check()
    with tracking.pipeline_run(None) as run:
        pass
    found = MlflowClient(f"sqlite:///{store / 'mlflow.db'}").get_run(run.id)
    assert found.info.artifact_uri.startswith((store / "mlruns").as_uri())


def test_an_experiment_in_a_copy_of_the_repository_logs_to_the_repository(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = store / ".dvc/tmp/exps/standalone/tmp123"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    with tracking.pipeline_run(None) as run:
        pass
    assert MlflowClient(f"sqlite:///{store / 'mlflow.db'}").get_run(run.id)
    assert not any(copy.iterdir())


def test_nobody_listens(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@127.0.0.1:9")
    with pytest.raises(TrackingError) as caught:
        tracking.check()
    assert str(caught.value) == (
        "the MLflow tracking store http://***@127.0.0.1:9 cannot be used: connection refused; "
        "start it, or correct MLFLOW_TRACKING_URI, or unset that to use ./mlflow.db"
    )


@pytest.mark.slow
def test_nobody_answers(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(TrackingError, match="cannot be used: timed out; start it"):
            tracking.check()
        assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("", "http://127.0.0.1:5000/#/models/vitrine/versions/3"),
        ("https://ann:secret@ml.example/", "https://***@ml.example/#/models/vitrine/versions/3"),
    ],
)
def test_where_a_person_finds_a_version(
    monkeypatch: pytest.MonkeyPatch, address: str, page: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert tracking.version_page("vitrine", "3") == page


def test_an_address_of_no_kind_that_mlflow_knows(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "htp://127.0.0.1")
    with pytest.raises(TrackingError, match="unsupported URI 'htp://127.0.0.1'"):
        tracking.check()


def test_a_deleted_experiment_can_be_brought_back(store: Path) -> None:
    with tracking.pipeline_run(None):
        pass
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("vitrine")
    client.delete_experiment(experiment.experiment_id)
    command = f"mlflow experiments restore -x {experiment.experiment_id}"
    with pytest.raises(TrackingError, match=command), tracking.pipeline_run(None):
        pass
