"""Runs: one a pipeline execution, with the trials of its search as children."""

import getpass
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrine.core.digests import data_digest
from vitrine.core.errors import DataError, TrackingError
from vitrine.core.layout import DATA_POINTER
from vitrine.core.revision import git_commit
from vitrine.tracking.store import EXPERIMENT, client, experiment_id, speaking

if TYPE_CHECKING:
    from mlflow import MlflowClient

TRAINED = "vitrine.trained"
"""The tag of a run that holds a finished training."""
PREVIOUS = "vitrine.previous_run"
"""The tag with the run that the pipeline used before this one: the one of the search, say."""
START_DIGEST = "vitrine.start_digest"
"""The tag with the SHA-256 of the file that a training began with."""
PRETRAIN_RUN = "vitrine.pretrain_run"
"""The tag with the run of the pretraining that a training began with."""
BATCH = 100
"""How many parameters or metrics go into one request; MLflow takes no more parameters."""
STOPPED: tuple[type[BaseException], ...] = (KeyboardInterrupt, SystemExit)
"""What ends a run as killed; anything else that is raised ends it as failed."""


class Run:
    """One run in the tracking store. What is logged is there at once, for the UI to show.

    Args:
        store: The client of the store.
        run_id: The run, which exists.

    Every method raises `TrackingError` when the store refuses or does not answer.
    """

    def __init__(self, store: "MlflowClient", run_id: str) -> None:
        self._store = store
        self.id = run_id

    @speaking()
    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters; nested ones as `train.epochs`. MLflow refuses to change one later."""
        from mlflow.entities import Param

        entries = [Param(key, value) for key, value in flatten(params).items()]
        for start in range(0, len(entries), BATCH):
            self._store.log_batch(self.id, params=entries[start : start + BATCH])

    @speaking()
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log numbers: of an epoch, counted by `step`, or without one of the whole run."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        entries = [Metric(key, float(value), now, step or 0) for key, value in metrics.items()]
        for start in range(0, len(entries), BATCH):
            self._store.log_batch(self.id, metrics=entries[start : start + BATCH])

    @speaking()
    def log_curves(self, points: Iterable[tuple[int, int, Mapping[str, float]]]) -> None:
        """Log numbers of several steps, also if some of them are there already.

        Of one name, step, time and value MLflow keeps one entry, however often it is logged.

        Args:
            points: Of each step its number, its time (milliseconds since 1970) and its numbers.
        """
        from mlflow.entities import Metric

        entries = [
            Metric(key, float(value), when, step)
            for step, when, metrics in points
            for key, value in metrics.items()
        ]
        for start in range(0, len(entries), BATCH):
            self._store.log_batch(self.id, metrics=entries[start : start + BATCH])

    @speaking()
    def log_file(self, path: Path, folder: str = "") -> None:
        """Keep a copy of a file with the run, in a folder of its artifacts."""
        self._store.log_artifact(self.id, str(path), folder or None)

    @speaking()
    def log_folder(self, path: Path, folder: str = "") -> None:
        """Keep a copy of what a folder holds with the run, in a folder of its artifacts."""
        self._store.log_artifacts(self.id, str(path), folder or None)

    @speaking()
    def log_dataset(self, name: str, digest: str, source: str) -> None:
        """Note which data the run learns from.

        Args:
            name: Of the dataset.
            digest: Of its content, as data.dvc has it; at most 36 characters.
            source: Where it is described: the path of data.dvc.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag

        described = json.dumps({"uri": source, "dvc.md5": digest})
        dataset = Dataset(name=name, digest=digest, source_type="dvc", source=described)
        tags = [InputTag("mlflow.data.context", "training"), InputTag("dvc.md5", digest)]
        self._store.log_inputs(self.id, [DatasetInput(dataset, tags)])

    @speaking()
    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags, replacing those of the same names."""
        from mlflow.entities import RunTag

        self._store.log_batch(self.id, tags=[RunTag(key, text) for key, text in tags.items()])


def flatten(params: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested parameters with dotted names, and their values as text."""
    flat: dict[str, str] = {}
    for key, value in params.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat


@contextmanager
def pipeline_run(previous: str | None, training: Mapping[str, Any] | None = None) -> Iterator[Run]:
    """Hold the run of this pipeline execution open; it ends as finished, failed or killed.

    Args:
        previous: The run of the stages before, taken up again when the store still has it.
        training: Parameters of a training that the block does, logged at its start. A run that
            holds a finished training, or one with other parameters, is left alone, and a new one
            begins.

    Raises:
        TrackingError: The store refuses or does not answer.
    """
    with speaking():
        store = client()
        run = Run(store, _resume(store, previous, training) or _begin(store, previous))
        if training is not None:
            run.log_params(training)
    with _ending(run, STOPPED):
        yield run
        if training is not None:
            run.set_tags({TRAINED: "true"})


@contextmanager
def child_run(parent: Run, name: str) -> Iterator[Run]:
    """Hold a run under another one open: a trial. A pruned one ends as killed, tagged `pruned`.

    Raises:
        TrackingError: The store refuses or does not answer.
    """
    from optuna import TrialPruned

    with speaking():
        store = client()
        tags = _tags() | {"mlflow.parentRunId": parent.id}
        begun = store.create_run(experiment_id(store, EXPERIMENT), tags=tags, run_name=name)
        run = Run(store, begun.info.run_id)
    with _ending(run, (*STOPPED, TrialPruned)):
        try:
            yield run
        except TrialPruned:
            run.set_tags({"pruned": "true"})
            raise


def _resume(
    store: "MlflowClient", previous: str | None, training: Mapping[str, Any] | None
) -> str | None:
    found = _find(store, previous)
    if found is None:
        return None
    if training is not None:
        logged, wanted = found.data.params, flatten(training)
        differs = any(logged.get(key, value) != value for key, value in wanted.items())
        if differs or TRAINED in found.data.tags:
            return None
    store.update_run(found.info.run_id, status="RUNNING")
    return str(found.info.run_id)


def _find(store: "MlflowClient", run_id: str | None) -> Any:
    from mlflow.exceptions import MlflowException

    if run_id is None:
        return None
    try:
        found = store.get_run(run_id)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    return found if found.info.lifecycle_stage == "active" else None


def _begin(store: "MlflowClient", previous: str | None) -> str:
    tags = _tags()
    if previous is not None:
        tags[PREVIOUS] = previous
    return str(store.create_run(experiment_id(store, EXPERIMENT), tags=tags).info.run_id)


def user() -> str:
    """Return who this is: the user of the MLflow server, else of this machine, else `unknown`."""
    try:
        return os.environ.get("MLFLOW_TRACKING_USERNAME") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _tags() -> dict[str, str]:
    commit = git_commit()
    try:
        data = data_digest(DATA_POINTER)
    except DataError:
        data = "unversioned"
    return {
        "git_commit": commit,
        "data_digest": data,
        "mlflow.source.git.commit": commit,
        "mlflow.source.name": "vitrine",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": user(),
    }


@contextmanager
def _ending(run: Run, stopped: tuple[type[BaseException], ...]) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        # The error that is already on its way matters more than a store that is gone.
        with suppress(TrackingError):
            _end(run, "KILLED" if isinstance(error, stopped) else "FAILED")
        raise
    _end(run, "FINISHED")


@speaking()
def _end(run: Run, status: str) -> None:
    client().set_terminated(run.id, status)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the store knows of a finished run: its tags, and the last value of each metric."""

    tags: Mapping[str, str]
    metrics: Mapping[str, float]


@speaking()
def run_facts(run_id: str) -> RunFacts | None:
    """Return what is known of a run; None where there is none or it was deleted.

    Raises:
        TrackingError: The store refuses or does not answer.
    """
    found = _find(client(), run_id or None)
    return found and RunFacts(dict(found.data.tags), dict(found.data.metrics))


@speaking()
def run_file(run_id: str, path: str) -> bytes | None:
    """Return a file of a run's artifacts; None where the run does not have it.

    Raises:
        TrackingError: The store refuses or does not answer.
    """
    store = client()
    folder = path.rpartition("/")[0]
    if path not in {entry.path for entry in store.list_artifacts(run_id, folder or None)}:
        return None
    with tempfile.TemporaryDirectory() as temporary:
        return Path(store.download_artifacts(run_id, path, temporary)).read_bytes()
