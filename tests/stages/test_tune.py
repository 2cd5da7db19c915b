"""The stage tune: nothing without trials, a study with them."""

import csv
import json
import multiprocessing
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from clones import ROOT
from shards import write_shards
from vitrine.core.errors import ParamsError, PreparedDataError
from vitrine.core.params import ImageParams, Params, TrainParams, TuneParams, override
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

BEGUN = "SELECT 1 FROM trial_heartbeats"
"""Whether a worker has said of a trial that it trains it."""


def _read(path: str) -> Any:
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
    folder = Path("reports/tune")
    assert (folder / "trials.csv").read_text().startswith("part,number,state,score,seconds,note,")
    assert (folder / "history.csv").read_text() == "trial,score,best\n"
    assert (folder / "importance.csv").read_text() == "key,importance,method\n"
    assert list((folder / "plots").iterdir()) == []


def test_a_wrong_range_stops_before_anything_is_done(workplace: Path, params: Params) -> None:
    wrong = override(params.tune, {"trials": 0, "search": {"dropout": {"low": 0.3, "high": 0.4}}})
    with pytest.raises(ParamsError, match="does not contain train.dropout"):
        tune.run(wrong, params.train, "vitrine")
    assert not Path("artifacts").exists()


def test_without_shards_it_says_what_to_run(store: Path, params: Params) -> None:
    with pytest.raises(PreparedDataError, match="dvc repro prepare"):
        tune.run(params.tune, params.train, "vitrine")


def test_a_password_in_params_is_refused_before_anything_is_trained(
    store: Path, params: Params, small: ImageParams
) -> None:
    write_shards(Path("artifacts/prepare"), small)
    wrong = override(params.tune, {"storage": "postgresql+psycopg2://ann:word@host/db"})
    with pytest.raises(ParamsError, match="VITRINE_TUNE_STORAGE"):
        tune.run(wrong, params.train, "vitrine")
    assert not Path("artifacts/tune").exists()


def _sections(params: Params) -> tuple[TuneParams, TrainParams]:
    section = override(
        params.tune,
        {
            "trials": 2,
            "epochs": 1,
            "max_images": 20,
            "search": {
                "learning_rate": {"low": 1e-12, "high": 0.01, "log": True},
                "dropout": {"low": 0.1, "high": 0.5},
            },
        },
    )
    train = override(
        params.train, {"backbone": "simple_cnn", "batch_size": 8, "learning_rate": 1e-12}
    )
    return section, train


def _rows(path: str) -> list[dict[str, str]]:
    with Path(path).open() as file:
        return list(csv.DictReader(file))


def _children(store: Path) -> tuple[MlflowClient, dict[str, Any]]:
    client = MlflowClient(f"sqlite:///{store}/mlflow.db")
    run_id = json.loads(Path("artifacts/tune/run.json").read_text())["run_id"]
    experiment = client.get_run(run_id).info.experiment_id
    runs = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run_id}'")
    return client, {run.info.run_name: run for run in runs}


@pytest.mark.slow
def test_trials_are_child_runs_and_the_better_values_are_kept_if_confirmed(
    store: Path, params: Params, small: ImageParams, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shards(Path("artifacts/prepare"), small)
    section, train = _sections(params)
    tuned = tune.run(section, train, "vitrine")
    assert len(tuned.attempts) == 2
    assert yaml.safe_load(Path("artifacts/tune/best.yaml").read_text()) == tuned.values
    rows = _rows("reports/tune/trials.csv")
    assert {row["state"] for row in rows} == {"complete"}
    parts = ["search"] * 2 + ["confirmation"] * 2 * (tuned.confirmation is not None)
    assert [row["part"] for row in rows] == parts
    assert float(rows[0]["learning_rate"]) == 1e-12
    assert [row["trial"] for row in _rows("reports/tune/history.csv")] == ["1", "2"]
    metrics = _read("reports/tune/metrics.json")
    assert metrics == tuned.metrics()
    assert Path("reports/tune/plots/history.png").is_file()
    lines = capsys.readouterr().err
    assert "trial 1 of 2: learning_rate 1e-12, dropout 0.2: val macro F1" in lines

    client, children = _children(store)
    names = {"trial-1", "trial-2"}
    if confirmation := tuned.confirmation:
        names |= {"confirmation-1", "confirmation-2"}
        assert metrics["confirmed"] is confirmation.passed is bool(tuned.values)
        assert children["confirmation-2"].data.params["seed"] == str(train.seed + 1)
        assert "once more with another seed, the best values" in lines
    assert set(children) == names
    for child in children.values():
        assert child.info.status == "FINISHED"
        assert "learning_rate" in child.data.params
        assert len(client.get_metric_history(child.info.run_id, "val_macro_f1")) == 1
    kept = client.list_artifacts(_read("artifacts/tune/run.json")["run_id"], "tune/plots")
    assert [entry.path for entry in kept] == ["tune/plots/history.png"]
    assert not list(Path(".cache/tune").glob("*.db")), "a finished search begins anew next time"


def _kill_a_worker(killed: list[int]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for path in Path(".cache/tune").glob("*.db"):
            with closing(sqlite3.connect(path, timeout=60)) as study, suppress(sqlite3.Error):
                if study.execute(BEGUN).fetchone():
                    worker = multiprocessing.active_children()[0]
                    worker.kill()
                    # Not `join`: whoever asks second is not told the status.
                    wait([worker.sentinel])
                    # As if it had been silent for longer than others wait.
                    study.execute("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'")
                    study.execute("UPDATE trials SET datetime_start = '2020-01-01 00:00:00'")
                    study.commit()
                    killed.append(worker.pid or 0)
                    return
        time.sleep(0.1)


@pytest.mark.slow
def test_of_two_workers_one_may_be_killed(
    store: Path, params: Params, small: ImageParams, capfd: pytest.CaptureFixture[str]
) -> None:
    write_shards(Path("artifacts/prepare"), small)
    section, train = _sections(params)
    killed: list[int] = []
    killer = threading.Thread(target=_kill_a_worker, args=(killed,))
    killer.start()
    tuned = tune.run(override(section, {"trials": 3}), train, "vitrine", 2)
    killer.join()
    assert killed
    assert [attempt.number for attempt in tuned.attempts] == [1, 2, 3]
    assert {attempt.state for attempt in tuned.attempts} == {"complete"}
    lines = capfd.readouterr().err.splitlines()
    assert [line for line in lines if "ended with status -9: its trial is tried again" in line]
    assert {line.split(":")[0] for line in lines if line.startswith("trial ")} == {
        f"trial {number} of 3" for number in (1, 2, 3)
    }
    _, children = _children(store)
    assert {"trial-1", "trial-2", "trial-3"} <= set(children)
    assert multiprocessing.active_children() == []
