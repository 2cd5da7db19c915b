"""The stage train: its files, its run, and what happens when it is killed or misled."""

import csv
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from mlflow import MlflowClient

from clones import ROOT
from interrupted import kill_after_an_epoch, start
from shards import write_shards
from vitrine.core.digests import file_digest
from vitrine.core.errors import ModelError, ParamsError, PreparedDataError, TrackingError
from vitrine.core.params import ImageParams, Params, TrainParams, override
from vitrine.inputs.summary import Summary
from vitrine.stages import train
from vitrine.tracking import curves
from vitrine.training import watch
from vitrine.training.display import Display
from vitrine.training.history import Epoch
from vitrine.training.trainer import network


@pytest.fixture
def section(params: Params) -> TrainParams:
    return override(
        params.train,
        {"backbone": "simple_cnn", "epochs": 2, "min_steps": 0, "batch_size": 12, "patience": 99},
    )


@pytest.fixture
def place(store: Path, small: ImageParams) -> Path:
    """A working directory with shards, an empty best.yaml and a tracking store."""
    write_shards(Path("artifacts/prepare"), small)
    _write_tuned({})
    return store


def _write_tuned(values: object, run_id: str | None = None) -> None:
    folder = Path("artifacts/tune")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "best.yaml").write_text(yaml.safe_dump(values))
    (folder / "run.json").write_text(json.dumps({"run_id": run_id}))


def _run(section: TrainParams, params: Params) -> train.Trained:
    return train.run(section, params.model_dump(mode="json", by_alias=True), "vitrine")


def _history() -> list[dict[str, str]]:
    with Path("reports/train/history.csv").open() as file:
        return list(csv.DictReader(file))


def test_it_writes_the_network_the_run_and_the_history(
    place: Path, section: TrainParams, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_tuned({"learning_rate": 0.004})
    monkeypatch.setattr(watch, "LOOK", 0.0)
    monkeypatch.setattr(watch, "POINT", 0.0)
    trained = _run(section, params)

    model = keras.models.load_model("artifacts/train/model.keras")
    assert getattr(model, "optimizer", None) is None
    assert set(model.output) == {"style", "category"}
    assert [row["epoch"] for row in _history()] == ["1", "2"]
    assert {"loss", "val_loss", "val_style_macro_f1", "val_category_macro_f1"} <= set(_history()[0])
    metrics = json.loads(Path("reports/train/metrics.json").read_text())
    assert metrics["epochs"] == 2
    assert f"epoch {metrics['best_epoch']} of 2" in trained.describe()
    assert json.loads(Path("artifacts/train/run.json").read_text()) == {"run_id": trained.run_id}

    client = MlflowClient(f"sqlite:///{place}/mlflow.db")
    run = client.get_run(trained.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["train.learning_rate"] == "0.004"
    assert run.data.params["image.height"] == "80"
    assert [m.step for m in client.get_metric_history(trained.run_id, "val_loss")] == [1, 2]
    for name in ("batch_loss", "learning_rate", "images_per_second"):
        assert [m.step for m in client.get_metric_history(trained.run_id, name)] == [1, 2, 3, 4]
    assert [f.path for f in client.list_artifacts(trained.run_id, "train")] == [
        "train/history.csv",
        "train/metrics.json",
    ]
    assert run.inputs.dataset_inputs[0].dataset.name == "prepared"
    assert not Path(".cache/train").exists()


def test_wrong_results_of_tune_are_named(place: Path, section: TrainParams, params: Params) -> None:
    _write_tuned({"learning_rat": 0.1})
    with pytest.raises(ParamsError, match=r"best\.yaml: .*did you mean learning_rate\?"):
        _run(section, params)
    _write_tuned(["no mapping"])
    with pytest.raises(ParamsError, match=r"best\.yaml: must hold keys of train"):
        _run(section, params)
    Path("artifacts/tune/best.yaml").unlink()
    with pytest.raises(PreparedDataError, match=r"best\.yaml is missing: .*dvc repro tune"):
        _run(section, params)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("champion", "no version of the registered model 'vitrine' has that alias yet"),
        ("old/model.keras", r"train\.weights names old/model\.keras, which is no file"),
    ],
)
def test_weights_that_are_not_there_are_named(
    weights: str, words: str, place: Path, section: TrainParams, params: Params
) -> None:
    with pytest.raises(ModelError, match=words):
        _run(override(section, {"weights": weights}), params)


def test_an_unreachable_server_is_found_out_before_anything_is_trained(
    place: Path, section: TrainParams, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    begun = time.monotonic()
    with pytest.raises(TrackingError, match=r"http://127\.0\.0\.1:9 cannot be used"):
        _run(section, params)
    assert time.monotonic() - begun < 10
    assert not Path("artifacts/train").exists()
    assert not Path(".cache/train").exists()


def test_a_training_that_diverges_leaves_no_model(
    place: Path, section: TrainParams, params: Params
) -> None:
    wild = override(section, {"learning_rate": 1e30, "warmup_share": 0.0})
    with pytest.raises(ModelError, match="diverged; lower train.learning_rate"):
        _run(wild, params)
    assert not Path("artifacts/train").exists()


@pytest.mark.slow
def test_epochs_that_the_server_missed_are_logged_in_the_end(
    place: Path,
    section: TrainParams,
    params: Params,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def away() -> None:
        raise ConnectionError("nobody is there")

    def interrupt(self: Display, epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt

    longer = override(section, {"epochs": 3})
    with monkeypatch.context() as patched:
        patched.setattr(curves, "client", away)
        patched.setattr(Display, "epoch", interrupt)
        with pytest.raises(KeyboardInterrupt):
            _run(longer, params)
    assert "not logged: ConnectionError: nobody is there" in capsys.readouterr().err
    trained = _run(longer, params)
    assert trained.fitted.resumed == 2
    client = MlflowClient(f"sqlite:///{place}/mlflow.db")
    found = client.get_metric_history(trained.run_id, "val_loss")
    assert [m.step for m in found] == [1, 2, 3]
    assert [m.value for m in found] == [e.metrics["val_loss"] for e in trained.fitted.history]


@pytest.mark.parametrize("weights", ["pretrained", "earlier.keras"])
def test_the_run_says_what_the_training_began_with(
    weights: str, place: Path, section: TrainParams, params: Params
) -> None:
    made = Path("artifacts/pretrain")
    made.mkdir(parents=True)
    (made / "run.json").write_text(json.dumps({"run_id": "0" * 32}))
    path = made / "model.keras" if weights == "pretrained" else Path(weights)
    network(section, Summary.load(Path("artifacts/prepare")), pretrained=False).save(path)
    trained = _run(override(section, {"weights": weights, "epochs": 1}), params)
    tags = MlflowClient(f"sqlite:///{place}/mlflow.db").get_run(trained.run_id).data.tags
    assert tags["vitrine.start_digest"] == file_digest(path)
    assert tags.get("vitrine.pretrain_run") == ("0" * 32 if weights == "pretrained" else None)


def _start(section: dict[str, Any]) -> "subprocess.Popen[str]":
    tree = yaml.safe_load((ROOT / "params.yaml").read_text())
    tree["train"].update(section)
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    return start("train")


@pytest.mark.slow
@pytest.mark.integration
def test_a_killed_training_goes_on_with_its_run_unless_something_changed(place: Path) -> None:
    section = {
        "backbone": "simple_cnn",
        "epochs": 30,
        "min_steps": 0,
        "batch_size": 4,
        "patience": 99,
    }
    kill_after_an_epoch(_start(section))
    assert not Path("artifacts/train").exists()
    (stored,) = Path(".cache/train").glob("*/run.json")
    run_id = json.loads(stored.read_text())["run_id"]

    changed = _start({**section, "epochs": 1})
    output, _ = changed.communicate()
    assert changed.returncode == 0, output
    assert "interrupted run" not in output
    assert json.loads(Path("artifacts/train/run.json").read_text())["run_id"] != run_id


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.parametrize("head_epochs", [1, 4])
def test_a_killed_training_repeated_ends_as_one_that_was_not_killed(
    head_epochs: int, place: Path, params: Params
) -> None:
    made = override(params.train, {"backbone": "simple_cnn"})
    network(made, Summary.load(Path("artifacts/prepare")), pretrained=False).save("earlier.keras")
    section = {
        "backbone": "simple_cnn",
        "weights": "earlier.keras",
        "transfer": {"head_epochs": head_epochs, "rate_decay": 0.5},
        "ema_decay": 0.9,
        "epochs": 8,
        "min_steps": 0,
        "batch_size": 4,
        "patience": 99,
    }
    kill_after_an_epoch(_start(section))
    (stored,) = Path(".cache/train").glob("*/run.json")
    run_id = json.loads(stored.read_text())["run_id"]

    again = _start(section)
    output, _ = again.communicate()
    assert again.returncode == 0, output
    assert "epochs were taken over from an interrupted run" in output
    assert json.loads(Path("artifacts/train/run.json").read_text()) == {"run_id": run_id}
    assert len(_history()) == 8
    resumed = keras.models.load_model("artifacts/train/model.keras").get_weights()

    _run(override(params.train, section), params)
    expected = keras.models.load_model("artifacts/train/model.keras").get_weights()
    for a, b in zip(resumed, expected, strict=True):
        np.testing.assert_array_equal(a, b)
