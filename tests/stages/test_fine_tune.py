"""Going on from the champion: its own epochs and rate, and no search."""

import json
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from shards import write_shards
from vitrine import tracking
from vitrine.bundle.format import NETWORK
from vitrine.core.params import ImageParams, Params, override
from vitrine.inputs.summary import Summary
from vitrine.stages import train, tune
from vitrine.training.trainer import network


@pytest.fixture
def place(store: Path, small: ImageParams) -> Path:
    """A working directory with shards."""
    write_shards(Path("artifacts/prepare"), small)
    return store


def test_its_values_come_before_those_that_were_tuned(
    place: Path, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path("artifacts/tune")
    folder.mkdir(parents=True)
    (folder / "best.yaml").write_text(yaml.safe_dump({"learning_rate": 0.5, "dropout": 0.1}))
    (folder / "run.json").write_text(json.dumps({"run_id": None}))
    section = override(
        params.train,
        {
            "backbone": "simple_cnn",
            "weights": "champion",
            "batch_size": 12,
            "fine_tune": {"epochs": 1, "min_steps": 0, "learning_rate": 0.0007},
        },
    )
    network(section, Summary.load(Path("artifacts/prepare")), pretrained=False).save(NETWORK)
    monkeypatch.setattr(tracking, "champion_bundle", lambda name: Path())
    trained = train.run(section, params.model_dump(mode="json", by_alias=True), "vitrine")
    assert "epoch 1 of 1" in trained.describe()
    assert "layers began with earlier weights" in trained.describe()
    logged = MlflowClient(f"sqlite:///{place}/mlflow.db").get_run(trained.run_id).data.params
    assert (logged["train.learning_rate"], logged["train.dropout"]) == ("0.0007", "0.1")


def test_nothing_is_searched(store: Path, params: Params) -> None:
    section = override(params.train, {"weights": "champion"})
    assert "No search" in tune.run(params.tune, section, "vitrine").describe()
    assert Path("artifacts/tune/best.yaml").read_text() == "{}\n"
