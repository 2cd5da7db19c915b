"""The stage tune: nothing without trials, a study with them."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from clones import ROOT
from shards import write_shards
from vitrine.core.errors import ParamsError, PreparedDataError
from vitrine.core.params import ImageParams, Params, override
from vitrine.stages import tune

NOTHING_HEAVY = """
import sys
from pathlib import Path
from vitrine.core.params import Params, override
from vitrine.stages import tune
params = Params.load(Path(sys.argv[1]))
print(tune.run(override(params.tune, {"trials": 0}), params.train, "vitrine").describe())
print(sorted({"tensorflow", "keras", "mlflow", "optuna"} & set(sys.modules)))
"""


def _read(path: str) -> object:
    return json.loads(Path(path).read_text())


def test_without_trials_it_is_done_at_once_and_loads_nothing_heavy(workplace: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_HEAVY, str(ROOT / "params.yaml")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "No search" in done.stdout
    assert done.stdout.endswith("[]\n")
    assert Path("artifacts/tune/best.yaml").read_text() == "{}\n"
    assert _read("artifacts/tune/run.json") == {"run_id": None}
    assert _read("reports/tune/metrics.json") == {"trials": 0}
    assert Path("reports/tune/trials.csv").read_text().startswith("number,state,value,")


def test_a_wrong_range_stops_before_anything_is_done(workplace: Path, params: Params) -> None:
    wrong = override(params.tune, {"trials": 0, "search": {"dropout": {"low": 0.3, "high": 0.4}}})
    with pytest.raises(ParamsError, match="does not contain train.dropout"):
        tune.run(wrong, params.train, "vitrine")
    assert not Path("artifacts").exists()


def test_without_shards_it_says_what_to_run(store: Path, params: Params) -> None:
    with pytest.raises(PreparedDataError, match="dvc repro prepare"):
        tune.run(params.tune, params.train, "vitrine")


@pytest.mark.slow
def test_two_trials_are_child_runs_and_the_better_values_are_kept(
    store: Path, params: Params, small: ImageParams
) -> None:
    from mlflow import MlflowClient

    write_shards(Path("artifacts/prepare"), small)
    section = override(
        params.tune,
        {
            "trials": 2,
            "epochs": 2,
            "max_images": 20,
            "search": {"learning_rate": {"low": 1e-12, "high": 0.01, "log": True}},
        },
    )
    # With a rate of nearly nothing any other value that the search can try is better.
    train = override(
        params.train, {"backbone": "simple_cnn", "batch_size": 8, "learning_rate": 1e-12}
    )
    tuned = tune.run(section, train, "vitrine")
    assert tuned.trials == 2
    assert set(tuned.values) <= {"learning_rate"}
    assert yaml.safe_load(Path("artifacts/tune/best.yaml").read_text()) == tuned.values
    with Path("reports/tune/trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["complete", "complete"]
    assert float(rows[0]["learning_rate"]) == 1e-12
    metrics = _read("reports/tune/metrics.json")
    assert metrics == {"trials": 2, "default_score": tuned.default, "best_score": tuned.best}

    client = MlflowClient(f"sqlite:///{store}/mlflow.db")
    run_id = json.loads(Path("artifacts/tune/run.json").read_text())["run_id"]
    experiment = client.get_run(run_id).info.experiment_id
    children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run_id}'")
    assert len(children) == 2
    for child in children:
        assert child.info.status == "FINISHED"
        assert "learning_rate" in child.data.params
        assert len(client.get_metric_history(child.info.run_id, "val_macro_f1")) == 2
    assert not list(Path(".cache/tune").glob("*.db")), "a finished search begins anew next time"
