"""The stage pretrain: nothing without a method, a network and a run of its own with one."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import pytest
import yaml
from mlflow import MlflowClient

from clones import ROOT
from interrupted import kill_after_an_epoch, start
from shards import write_shards
from vitrine.core.errors import PreparedDataError, TrackingError
from vitrine.core.params import ImageParams, Params, PretrainParams, TrainParams, override
from vitrine.stages import pretrain

NOTHING_HEAVY = """
import sys
from pathlib import Path
from vitrine.core.params import Params, override
from vitrine.stages import pretrain
params = Params.load(Path(sys.argv[1]))
section = override(params.pretrain, {"method": "none"})
print(pretrain.run(section, params.train).describe())
print(sorted({"tensorflow", "keras", "mlflow"} & set(sys.modules)))
"""

SHORT: dict[str, Any] = {"method": "simclr", "epochs": 2, "batch_size": 8, "projection": 16}


@pytest.fixture
def section(params: Params) -> PretrainParams:
    return override(params.pretrain, SHORT)


@pytest.fixture
def train(params: Params) -> TrainParams:
    return override(params.train, {"backbone": "simple_cnn"})


@pytest.fixture
def place(store: Path, small: ImageParams) -> Path:
    """A working directory with shards and a tracking store."""
    write_shards(Path("artifacts/prepare"), small)
    return store


def _read(path: str) -> Any:
    return json.loads(Path(path).read_text())


def _history() -> list[dict[str, str]]:
    with Path("reports/pretrain/history.csv").open() as file:
        return list(csv.DictReader(file))


def test_without_a_method_it_is_done_at_once_and_loads_nothing_heavy(workplace: Path) -> None:
    # What an earlier pretraining left would be taken up by train.
    Path("artifacts/pretrain").mkdir(parents=True)
    Path("artifacts/pretrain/model.keras").touch()
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_HEAVY, str(ROOT / "params.yaml")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "No pretraining" in done.stdout
    assert done.stdout.endswith("[]\n")
    assert [path.name for path in Path("artifacts/pretrain").iterdir()] == ["run.json"]
    assert _read("artifacts/pretrain/run.json") == {"run_id": None}
    assert _read("reports/pretrain/metrics.json") == {"epochs": 0}
    assert Path("reports/pretrain/history.csv").read_text() == "epoch,loss,spread\n"


def test_it_writes_the_network_the_run_and_the_history(
    place: Path, section: PretrainParams, train: TrainParams
) -> None:
    result = pretrain.run(section, train)

    model = keras.models.load_model("artifacts/pretrain/model.keras")
    assert model.output.shape == (None, 128)
    assert [row["epoch"] for row in _history()] == ["1", "2"]
    assert {"loss", "spread", "val_style_knn_accuracy"} <= set(_history()[0])
    metrics = _read("reports/pretrain/metrics.json")
    assert metrics["epochs"] == 2
    assert metrics["loss"] == pytest.approx(float(_history()[1]["loss"]))
    assert _read("artifacts/pretrain/run.json") == {"run_id": result.run_id}
    assert "model.keras: 2 epochs, loss" in result.describe()

    client = MlflowClient(f"sqlite:///{place}/mlflow.db")
    run = client.get_run(result.run_id)
    assert (run.info.run_name, run.info.status) == ("pretrain", "FINISHED")
    assert run.data.params["pretrain.temperature"] == str(section.temperature)
    assert run.data.params["train.backbone"] == "simple_cnn"
    assert "train.epochs" not in run.data.params
    assert len(client.get_metric_history(result.run_id, "spread")) == 2
    assert len(client.list_artifacts(result.run_id, "pretrain")) == 2
    assert run.inputs.dataset_inputs[0].dataset.name == "prepared"
    assert not Path(".cache/pretrain").exists()


def test_a_server_that_goes_away_does_not_end_it(
    place: Path,
    section: PretrainParams,
    train: TrainParams,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def away() -> None:
        raise TrackingError("nobody answers")

    monkeypatch.setattr("vitrine.tracking.curves.client", away)
    result = pretrain.run(section, override(train, {"weights": "champion"}))
    assert "model.keras: 2 epochs, loss" in result.describe()
    assert "nobody answers" in capsys.readouterr().err
    logged = MlflowClient(f"sqlite:///{place}/mlflow.db").get_metric_history(result.run_id, "loss")
    assert [entry.step for entry in logged] == [1, 2]


def test_without_shards_it_says_what_to_run(
    store: Path, section: PretrainParams, train: TrainParams
) -> None:
    with pytest.raises(PreparedDataError, match="dvc repro prepare"):
        pretrain.run(section, train)


def _start(section: dict[str, Any]) -> "subprocess.Popen[str]":
    tree = yaml.safe_load((ROOT / "params.yaml").read_text())
    tree["pretrain"].update(section)
    tree["train"]["backbone"] = "simple_cnn"
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    return start("pretrain")


@pytest.mark.slow
@pytest.mark.integration
def test_a_killed_one_goes_on_with_its_run(place: Path) -> None:
    longer = {**SHORT, "epochs": 8}
    kill_after_an_epoch(_start(longer))
    (stored,) = Path(".cache/pretrain").glob("*/run.json")
    begun = _read(str(stored))
    again = _start(longer)
    output, _ = again.communicate()
    assert again.returncode == 0, output
    assert "epochs were taken over from an interrupted run" in output
    assert _read("artifacts/pretrain/run.json") == begun
    assert [int(row["epoch"]) for row in _history()] == list(range(1, 9))
