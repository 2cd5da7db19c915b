"""One run a pipeline execution, with its trials as children."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from vitrine import tracking

TRAINING = {"train": {"epochs": 3, "augment": {"flip": True}}}


@pytest.fixture
def client(store: Path) -> MlflowClient:
    """MLflow's own client, to look at what was logged."""
    return MlflowClient(f"sqlite:///{store / 'mlflow.db'}")


def _begin(previous: str | None = None, training: dict[str, Any] | None = None) -> str:
    with tracking.pipeline_run(previous, training) as run:
        return run.id


def test_a_run_holds_what_is_logged(client: MlflowClient, store: Path) -> None:
    (store / "plots").mkdir()
    (store / "plots/confusion.png").write_bytes(b"picture")
    (store / "data.dvc").write_text("outs:\n- md5: abc.dir\n  path: data\n")
    with tracking.pipeline_run(None) as run:
        run.log_params({"train": {"epochs": 3, "augment": {"flip": True}}, "seed": 17})
        for step in range(3):
            run.log_metrics({"loss": 1.0 - step / 4}, step=step)
        run.log_metrics({"test/style/accuracy": 0.75})
        run.log_folder(store / "plots", "evaluate")
        run.log_file(store / "data.dvc", "data")
        run.log_dataset("catalogue", "abc.dir", "data.dvc")
        run.set_tags({"note": "a try"})
    found: Run = client.get_run(run.id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"train.epochs": "3", "train.augment.flip": "True", "seed": "17"}
    assert [m.value for m in client.get_metric_history(run.id, "loss")] == [1.0, 0.75, 0.5]
    assert [m.step for m in client.get_metric_history(run.id, "loss")] == [0, 1, 2]
    assert found.data.metrics["test/style/accuracy"] == 0.75
    assert [f.path for f in client.list_artifacts(run.id, "evaluate")] == ["evaluate/confusion.png"]
    assert [f.path for f in client.list_artifacts(run.id, "data")] == ["data/data.dvc"]
    (entry,) = found.inputs.dataset_inputs
    assert (entry.dataset.name, entry.dataset.digest) == ("catalogue", "abc.dir")
    assert {tag.key: tag.value for tag in entry.tags} == {
        "mlflow.data.context": "training",
        "dvc.md5": "abc.dir",
    }
    assert found.data.tags["note"] == "a try"
    assert found.data.tags["data_digest"] == "abc.dir"
    assert found.data.tags["git_commit"] == "unknown"


def test_many_parameters_and_metrics_are_logged(client: MlflowClient) -> None:
    names = [f"name.{number}" for number in range(1100)]
    with tracking.pipeline_run(None) as run:
        run.log_params(dict.fromkeys(names, 1))
        run.log_metrics(dict.fromkeys(names, 1.0))
    found = client.get_run(run.id)
    assert len(found.data.params) == len(found.data.metrics) == len(names)


def test_curves_that_are_there_already_stay_as_they_are(client: MlflowClient) -> None:
    points = [(step, 1000 * step, {"loss": 1 / step, "score": 0.1}) for step in range(1, 71)]
    with tracking.pipeline_run(None) as run:
        run.log_curves(points[10:30])
        run.log_curves(points)
        run.log_curves(points)
    found = client.get_metric_history(run.id, "loss")
    assert [(m.step, m.timestamp, m.value) for m in found] == [
        (step, when, metrics["loss"]) for step, when, metrics in points
    ]
    assert len(client.get_metric_history(run.id, "score")) == 70


def test_a_later_stage_takes_the_run_up_again(client: MlflowClient) -> None:
    first = _begin()
    with tracking.pipeline_run(first) as again:
        assert client.get_run(first).info.status == "RUNNING"
    assert again.id == first
    assert client.get_run(first).info.status == "FINISHED"


@pytest.mark.parametrize("previous", ["0" * 32, "no id at all"])
def test_a_run_that_the_store_does_not_have_is_replaced(
    client: MlflowClient, previous: str
) -> None:
    run = _begin(previous)
    assert run != previous
    assert client.get_run(run).data.tags["vitrine.previous_run"] == previous


def test_a_deleted_run_is_replaced(client: MlflowClient) -> None:
    first = _begin()
    client.delete_run(first)
    assert _begin(first) != first


def test_a_training_takes_up_the_run_of_its_search(client: MlflowClient) -> None:
    search = _begin()
    assert _begin(search, TRAINING) == search
    assert client.get_run(search).data.params["train.epochs"] == "3"


def test_a_finished_training_is_never_mixed_with_another(client: MlflowClient) -> None:
    first = _begin(None, TRAINING)
    assert _begin(first, TRAINING) != first
    assert _begin(first) == first


def _break_off(previous: str | None, training: dict[str, Any], error: type[BaseException]) -> str:
    with pytest.raises(error), tracking.pipeline_run(previous, training) as run:
        raise error
    return run.id


def test_a_training_that_was_broken_off_goes_on_in_its_run(client: MlflowClient) -> None:
    broken = _break_off(None, TRAINING, KeyboardInterrupt)
    assert client.get_run(broken).info.status == "KILLED"
    assert _begin(broken, TRAINING) == broken


def test_a_training_that_was_broken_off_does_not_go_on_with_other_parameters(
    client: MlflowClient,
) -> None:
    broken = _break_off(None, TRAINING, ValueError)
    assert client.get_run(broken).info.status == "FAILED"
    assert _begin(broken, {"train": {"epochs": 4}}) != broken


@pytest.mark.parametrize(
    ("error", "status", "pruned"),
    [(ValueError, "FAILED", None), (optuna.TrialPruned, "KILLED", "true")],
)
def test_a_trial_is_a_child_and_its_end_is_told(
    client: MlflowClient, error: type[Exception], status: str, pruned: str | None
) -> None:
    with tracking.pipeline_run(None) as parent:
        with tracking.child_run(parent, "trial 0") as good:
            good.log_metrics({"value": 0.5})
        with pytest.raises(error), tracking.child_run(parent, "trial 1") as bad:
            raise error
    assert client.get_run(parent.id).info.status == "FINISHED"
    assert client.get_run(good.id).info.run_name == "trial 0"
    assert client.get_run(good.id).info.status == "FINISHED"
    assert client.get_run(bad.id).info.status == status
    assert client.get_run(bad.id).data.tags.get("pruned") == pruned
    for child in (good, bad):
        assert client.get_run(child.id).data.tags["mlflow.parentRunId"] == parent.id
