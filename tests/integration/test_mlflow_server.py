"""A real MLflow server: what the pipeline logs, what a person does in the UI, what a client loads."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from vitrine import tracking
from vitrine.bundle.format import load_info
from vitrine.bundle.golden import read_golden
from vitrine.core.errors import TrackingError
from vitrine.release.promote import promote

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PREDICT = """
import sys
from pathlib import Path

import mlflow
import pandas as pd

model = mlflow.pyfunc.load_model("models:/vitrine@champion")
images = [path.read_bytes() for path in sorted(Path(sys.argv[1]).iterdir())]
answers = model.predict(images)
assert model.predict(pd.DataFrame({"image": images})).equals(answers)
assert "keras" not in sys.modules and "tensorflow" not in sys.modules

import vitrine

print(vitrine.__file__)
print(answers.to_json(orient="records"))
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait(address: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert server.poll() is None, "the MLflow server ended while it started"
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the MLflow server does not answer")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server with stores of its own."""
    folder = tmp_path_factory.mktemp("server")
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
    command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | quiet,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process)
            yield address
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


@pytest.fixture
def client(server: str, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """MLflow's own client of the server that `MLFLOW_TRACKING_URI` names."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    return MlflowClient(server, server)


def test_a_pipeline_run_with_trials(client: MlflowClient, workplace: Path) -> None:
    tracking.check()
    (workplace / "confusion.png").write_bytes(b"picture")
    with tracking.pipeline_run(None) as run:
        for number in range(2):
            with tracking.child_run(run, f"trial {number}") as trial:
                trial.log_metrics({"value": number / 2})
        run.log_dataset("catalogue", "abc.dir", "data.dvc")
    with tracking.pipeline_run(run.id, {"train": {"epochs": 2}}) as again:
        for step in range(2):
            again.log_metrics({"val_loss": 1 - step / 2}, step=step)
        again.log_file(workplace / "confusion.png", "evaluate")
    found = client.get_run(run.id)
    assert again.id == run.id
    assert found.info.status == "FINISHED"
    assert found.data.params == {"train.epochs": "2"}
    assert [m.value for m in client.get_metric_history(run.id, "val_loss")] == [1.0, 0.5]
    assert found.inputs.dataset_inputs[0].dataset.digest == "abc.dir"
    assert [f.path for f in client.list_artifacts(run.id, "evaluate")] == ["evaluate/confusion.png"]
    children = client.search_runs(
        [found.info.experiment_id], f"tags.mlflow.parentRunId = '{run.id}'"
    )
    assert {child.info.run_name for child in children} == {"trial 0", "trial 1"}
    assert not (workplace / "mlflow.db").exists()


def test_what_a_person_promotes_is_what_a_client_loads(
    client: MlflowClient,
    workplace: Path,
    tiny_bundle: Path,
    make_bundle: Callable[[Path, int], Path],
) -> None:
    for bundle in (tiny_bundle, make_bundle(workplace / "other", 2)):
        digest = load_info(bundle).digest
        with tracking.pipeline_run(None) as run:
            number = tracking.register_bundle(
                bundle, "vitrine", run.id, {"gate": "passed", "bundle_digest": digest}
            )
        tracking.set_alias("vitrine", "challenger", number)
        assert tracking.version_by_digest("vitrine", digest) == number
    client.set_registered_model_alias("vitrine", "champion", "1")  # as the UI does

    champion = tracking.champion_bundle("vitrine")
    assert champion is not None
    assert load_info(champion) == load_info(tiny_bundle)

    sources, expected = read_golden(tiny_bundle)
    folder = workplace / "images"
    folder.mkdir()
    for number, source in enumerate(sources):
        (folder / f"{number}.jpg").write_bytes(source)
    said = subprocess.run(
        [sys.executable, "-c", PREDICT, str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    code, answers = said.stdout.splitlines()
    assert Path(code).parts[-3:] == ("code", "vitrine", "__init__.py")
    for answer, style in zip(json.loads(answers), expected["style"], strict=True):
        assert answer["style_probability"] == pytest.approx(style.max(), abs=1e-3)
        assert answer["style"] == max(answer["style_probabilities"].items(), key=lambda i: i[1])[0]
        assert sum(answer["category_probabilities"].values()) == pytest.approx(1, abs=1e-4)

    assert promote("vitrine", "challenger").replaced == "1"
    assert client.get_model_version_by_alias("vitrine", "champion").version == "2"


def test_a_server_that_went_away(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{_free_port()}")
    began = time.monotonic()
    with pytest.raises(TrackingError, match="cannot be used: connection refused; start it"):
        tracking.check()
    assert time.monotonic() - began < 10


def test_a_web_server_that_is_no_mlflow(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{server}/elsewhere")
    with pytest.raises(TrackingError, match="cannot be used: "):
        tracking.check()
