"""A real MLflow server: what the pipeline logs, what a person does in the UI, what a client loads."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from servers import MlflowServer, mlflow_server
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """An MLflow server with stores of its own."""
    with mlflow_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def client(server: MlflowServer, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """MLflow's own client of the server that `MLFLOW_TRACKING_URI` names."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return MlflowClient(server.address, server.address)


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

    promoted = promote("vitrine", "challenger", force=False, reason="", kind="promotion")
    assert promoted.replaced == "1"
    assert client.get_model_version_by_alias("vitrine", "champion").version == "2"


def test_a_server_that_went_away_and_came_back(server: MlflowServer, client: MlflowClient) -> None:
    client.create_registered_model("kept")
    run = client.create_run("0")
    client.create_model_version("kept", run.info.artifact_uri, run.info.run_id)
    server.stop()
    began = time.monotonic()
    with pytest.raises(TrackingError, match="cannot be used: connection refused; start it"):
        tracking.check()
    assert time.monotonic() - began < 10
    server.start()
    tracking.set_alias("kept", "champion", "1")
    champion = tracking.version_of_alias("kept", "champion")
    assert champion is not None
    assert champion.run_id == run.info.run_id


def test_a_web_server_that_is_no_mlflow(
    server: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{server.address}/elsewhere")
    with pytest.raises(TrackingError, match="cannot be used: "):
        tracking.check()
