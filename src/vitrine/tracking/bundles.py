"""Bundles in the registry: a version is made of one, and gives it back."""

import shutil
import tempfile
import warnings
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import vitrine
from vitrine.bundle.format import INFO, load_info
from vitrine.core.errors import BundleError, TrackingError
from vitrine.core.files import atomic_folder
from vitrine.core.layout import scratch
from vitrine.tracking.registry import CHAMPION, Version, find_version, version_of_alias
from vitrine.tracking.store import (
    EXPERIMENT,
    address,
    client,
    experiment_id,
    speaking,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

REQUIREMENTS = ("mlflow", "numpy", "openvino", "pandas", "pillow", "pydantic", "pyyaml")
"""What the registered model needs where it is loaded; its own code lies inside it."""
BESIDE_CODE = "artifacts"
"""The folder of an MLflow model that holds what was given to it: the bundle."""


@speaking()
def register_bundle(
    folder: Path, name: str, run_id: str, tags: Mapping[str, str], description: str = ""
) -> str:
    """Register a bundle as a new version of a model, which is made where there is none.

    Args:
        folder: The bundle.
        name: Of the registered model.
        run_id: The run that the version belongs to.
        tags: Of the version.
        description: Markdown, shown on the version's page.

    Returns:
        The number of the version.

    Raises:
        TrackingError: The registry refuses or does not answer.
    """
    store = client()
    if not _model_exists(store, name):
        store.create_registered_model(name, description="Style and category of product images.")
    logged = _log_model(store, folder, name, run_id)
    # Not by `models:/<id>`, which an embedded registry looks up in the process's default store.
    made = store.create_model_version(
        name,
        logged.artifact_location,
        run_id,
        dict(tags),
        description=description,
        model_id=logged.model_id,
    )
    return str(made.version)


def _log_model(store: "MlflowClient", folder: Path, name: str, run_id: str) -> "LoggedModel":
    # By the client and not by `mlflow.pyfunc.log_model`, which works through global state: the
    # active run and the tracking URI of the process.
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus
    from mlflow.models import Model

    logged = store.create_logged_model(experiment_id(store, EXPERIMENT), name, source_run_id=run_id)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            saved = Path(temporary) / "model"
            model = Model(
                artifact_path=logged.artifact_location, run_id=run_id, model_id=logged.model_id
            )
            save_pyfunc(folder, saved, model)
            store.log_model_artifacts(logged.model_id, str(saved))
    except BaseException:
        store.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED)
        raise
    store.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    store.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return logged


def save_pyfunc(folder: Path, path: Path, model: Any = None) -> None:
    """Save a bundle as an MLflow model: the bundle itself and the code that runs it, no pickle.

    Args:
        folder: The bundle.
        path: The folder to make.
        model: The `mlflow.models.Model` that describes it; a new one by default.
    """
    with warnings.catch_warnings():
        # MLflow complains here about its own type hints.
        warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType")
        import mlflow.pyfunc

    package = Path(vitrine.__file__).parent
    mlflow.pyfunc.save_model(
        path,
        python_model=str(package / "bundle" / "pyfunc.py"),
        artifacts={"bundle": str(folder)},
        code_paths=[str(package)],
        pip_requirements=[f"{library}=={installed(library)}" for library in REQUIREMENTS],
        mlflow_model=model,
    )


def _model_exists(store: "MlflowClient", name: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        store.get_registered_model(name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise
    return True


def download_bundle(name: str, number: str) -> Path:
    """Return the bundle of a version, fetched into .cache unless it lies there already.

    Raises:
        TrackingError: The registry refuses or does not answer, or has no such version.
        BundleError: The version holds no bundle of Vitrine's, or what arrived is damaged.
    """
    version = find_version(name, number)
    if version is None:
        raise TrackingError(f"the model {name!r} has no version {number} in MLflow")
    # By version too: the same files may come from two runs, and lineage is no part of the digest.
    place = scratch("bundles") / f"{name}-v{number}-{version.bundle_digest or 'unknown'}"
    if not _holds(place, version.bundle_digest):
        with atomic_folder(place) as new:
            _fetch(version, new)
            if load_info(new).digest != version.bundle_digest:
                raise BundleError(
                    f"version {number} of the model {name!r} does not hold the bundle that its tag "
                    "bundle_digest names: register the bundle anew with `dvc repro -f register`"
                )
    return place


def _holds(place: Path, digest: str) -> bool:
    try:
        return load_info(place).digest == digest
    except BundleError:
        return False


@speaking()
def _fetch(version: Version, folder: Path) -> None:
    from mlflow.artifacts import download_artifacts, list_artifacts

    place = client().get_model_version_download_uri(version.name, version.number)
    listed = list_artifacts(place, tracking_uri=address())
    inside = {PurePosixPath(entry.path).name for entry in listed if entry.is_dir}
    # Only this folder: beside it lies the package's code, a hundred files and more.
    if BESIDE_CODE not in inside:
        raise _no_bundle(version)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as temporary:
        download_artifacts(
            f"{place.rstrip('/')}/{BESIDE_CODE}", dst_path=temporary, tracking_uri=address()
        )
        described = next(Path(temporary).rglob(INFO), None)
        if described is None:
            raise _no_bundle(version)
        for file in described.parent.iterdir():
            shutil.move(file, folder / file.name)


def _no_bundle(version: Version) -> BundleError:
    return BundleError(
        f"version {version.number} of the model {version.name!r} holds no {INFO}: it was not "
        "registered by Vitrine; choose another one"
    )


def champion_bundle(name: str) -> Path | None:
    """Return the bundle of the version with the alias champion, or None where none has it.

    Raises:
        TrackingError: The registry refuses or does not answer.
        BundleError: What arrived is damaged.
    """
    champion = version_of_alias(name, CHAMPION)
    return None if champion is None else download_bundle(name, champion.number)
