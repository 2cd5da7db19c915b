"""Where the tracking store is, and how to speak with it.

Without `MLFLOW_TRACKING_URI` it is embedded: mlflow.db and mlruns/ in the working directory, which
`mlflow server` there shows. MLflow is imported inside the functions: it takes seconds.
"""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vitrine.core.errors import TrackingError

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "vitrine"
"""The experiment of the pipeline's runs."""
EMBEDDED_PAGES = "http://127.0.0.1:5000"
"""Where `make ui` and a plain `mlflow server` show the embedded store."""
PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "5", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
"""How long an impatient block waits for an answer: seconds, and repeated requests."""
REFUSALS = {
    "UNAUTHENTICATED": (
        "it asks for a user name and password: set MLFLOW_TRACKING_USERNAME and "
        "MLFLOW_TRACKING_PASSWORD"
    ),
    "PERMISSION_DENIED": (
        "your user there may not do that: ask for the permission EDIT, or for somebody who has it"
    ),
}
"""What an error code of MLflow's means on a server that knows its users."""


def home() -> Path:
    """Return the folder of the embedded store: the working directory.

    `dvc exp run --temp` and `--queue` work in a copy of the repository in its .dvc/tmp/exps, which
    they delete; what they log belongs to the repository itself.
    """
    here = Path.cwd()
    copies = [folder for folder in here.parents if folder.parts[-3:] == (".dvc", "tmp", "exps")]
    return copies[0].parents[2] if copies else here


def address() -> str:
    """Return the tracking URI. The embedded one is absolute: MLflow keeps a connection per URI."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home() / 'mlflow.db'}"


def registry_address() -> str:
    """Return the URI of the model registry, which is the tracking store's unless told otherwise."""
    return os.environ.get("MLFLOW_REGISTRY_URI") or address()


def version_page(name: str, number: str) -> str:
    """Return the address of a version's page; for the embedded store, while `make ui` runs."""
    uri = redact(address())
    root = uri.rstrip("/") if uri.startswith("http") else EMBEDDED_PAGES
    return f"{root}/#/models/{name}/versions/{number}"


def redact(text: str) -> str:
    """Return a text without the user names and passwords of the URLs in it."""
    return re.sub(r"://[^/\s]+@", "://***@", text)


def client() -> "MlflowClient":
    """Return a client of the store and its registry: quiet, and without MLflow's telemetry."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient

    return MlflowClient(address(), registry_address())


def errors() -> tuple[type[Exception], ...]:
    """Return what MLflow raises when a store refuses, fails or does not answer."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, RequestException, SQLAlchemyError


@contextmanager
def speaking() -> Iterator[None]:
    """Turn what MLflow raises inside the block into one line.

    Raises:
        TrackingError: MLflow refused, failed or did not answer.
    """
    try:
        yield
    except errors() as error:
        said = _refusal(error) or _reason(error)
        raise TrackingError(f"MLflow at {redact(address())} failed: {said}") from error


def check() -> None:
    """Make sure, within about five seconds, that the tracking store can be used.

    Raises:
        TrackingError: Nothing answers at `MLFLOW_TRACKING_URI`, or it is no MLflow store.
    """
    try:
        with impatient():
            client().search_experiments(max_results=1)
    except errors() as error:
        mend = "; start it, or correct MLFLOW_TRACKING_URI, or unset that to use ./mlflow.db"
        raise TrackingError(
            f"the MLflow tracking store {redact(address())} cannot be used: "
            f"{_refusal(error) or _reason(error) + mend}"
        ) from error


@contextmanager
def impatient() -> Iterator[None]:
    """Let MLflow's client wait for an answer as long as `PATIENCE` says, inside the block."""
    usual = {key: os.environ.get(key) for key in PATIENCE}
    os.environ.update(PATIENCE)
    try:
        yield
    finally:
        for key, value in usual.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


def _refusal(error: Exception) -> str:
    return REFUSALS.get(getattr(error, "error_code", ""), "")


def _reason(error: Exception) -> str:
    said = redact(str(error))
    cause = re.search(r"Connection refused|Name or service not known|timed out", said)
    return cause.group().lower() if cause else said.strip().partition("\n")[0].partition(". ")[0]


def experiment_id(store: "MlflowClient", name: str) -> str:
    """Return the id of an experiment; it is made where there is none.

    Raises:
        TrackingError: The experiment was deleted, so that it can hold no new run.
    """
    found = store.get_experiment_by_name(name)
    if found is None:
        embedded = not os.environ.get("MLFLOW_TRACKING_URI")
        location = (home() / "mlruns").as_uri() if embedded else None
        return str(store.create_experiment(name, artifact_location=location))
    if found.lifecycle_stage == "deleted":
        raise TrackingError(
            f"the MLflow experiment {name!r} was deleted: bring it back with "
            f"`mlflow experiments restore -x {found.experiment_id}`"
        )
    return str(found.experiment_id)
