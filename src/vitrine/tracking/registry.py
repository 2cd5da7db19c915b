"""The registered model: its versions, their tags and aliases, and the bundles in them."""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vitrine
from vitrine.bundle.format import INFO, load_info
from vitrine.core.errors import BundleError, TrackingError
from vitrine.core.files import atomic_folder
from vitrine.core.layout import scratch
from vitrine.tracking.store import address, client, experiment_id, registry_address, speaking

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

CHAMPION = "champion"
CHALLENGER = "challenger"
REQUIREMENTS = ("mlflow", "numpy", "openvino", "pandas", "pillow", "pydantic", "pyyaml")
"""What the registered model needs where it is loaded; its own code lies inside it."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the registered model.

    Args:
        name: Of the registered model.
        number: `1`, `2`, …
        run_id: The run that trained it.
        tags: Among them `gate` (`passed` or `failed`), `gate_reasons`, `bundle_digest`,
            `data_digest` and `git_commit`.
        aliases: `champion`, `challenger` …
    """

    name: str
    number: str
    run_id: str
    tags: Mapping[str, str]
    aliases: tuple[str, ...]

    @property
    def gate_passed(self) -> bool:
        """Whether `register` found it good enough to be promoted."""
        return self.tags.get("gate") == "passed"

    @property
    def bundle_digest(self) -> str:
        """The digest of the bundle; empty for a version that Vitrine did not register."""
        return self.tags.get("bundle_digest", "")


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

    logged = store.create_logged_model(experiment_id(store), name, source_run_id=run_id)
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


def find_version(name: str, number: str) -> Version | None:
    """Return a version by its number, or None where there is none. Raises `TrackingError`."""
    return _found(lambda store: store.get_model_version(name, number))


def version_of_alias(name: str, alias: str) -> Version | None:
    """Return the version that has an alias, or None where none has. Raises `TrackingError`."""
    return _found(lambda store: store.get_model_version_by_alias(name, alias))


def version_by_digest(name: str, digest: str) -> str | None:
    """Return the number of the newest version with a bundle's digest, or None.

    Raises:
        TrackingError: The registry refuses or does not answer.
    """
    with speaking():
        wanted = f"name = '{name}' and tags.bundle_digest = '{digest}'"
        found = client().search_model_versions(wanted)
    return max((str(version.version) for version in found), key=int, default=None)


@speaking()
def _found(get: "Callable[[MlflowClient], ModelVersion]") -> Version | None:
    from mlflow.exceptions import MlflowException

    try:
        version = get(client())
    except MlflowException as error:
        # An alias that nobody has is answered as an invalid parameter.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    return Version(
        name=version.name,
        number=str(version.version),
        run_id=version.run_id or "",
        tags=dict(version.tags),
        aliases=tuple(version.aliases),
    )


@speaking()
def set_alias(name: str, alias: str, number: str) -> None:
    """Give an alias to a version; another version that had it loses it. Raises `TrackingError`."""
    client().set_registered_model_alias(name, alias, number)


@speaking()
def set_version_tags(name: str, number: str, tags: Mapping[str, str]) -> None:
    """Set tags of a version, replacing those of the same names. Raises `TrackingError`."""
    store = client()
    for key, text in tags.items():
        store.set_model_version_tag(name, number, key, text)


def download_bundle(name: str, number: str) -> Path:
    """Return the bundle of a version, fetched into .cache unless it lies there already.

    Raises:
        TrackingError: The registry refuses or does not answer, or has no such version.
        BundleError: The version holds no bundle of Vitrine's, or what arrived is damaged.
    """
    version = find_version(name, number)
    if version is None:
        raise TrackingError(f"the model {name!r} has no version {number} in MLflow")
    place = scratch("bundles") / (version.bundle_digest or "unknown")
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
    from mlflow.artifacts import download_artifacts

    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as temporary:
        download_artifacts(
            f"models:/{version.name}/{version.number}",
            dst_path=temporary,
            tracking_uri=address(),
            registry_uri=registry_address(),
        )
        described = next(Path(temporary).rglob(INFO), None)
        if described is None:
            raise BundleError(
                f"version {version.number} of the model {version.name!r} holds no {INFO}: it was "
                "not registered by Vitrine; choose another one"
            )
        for file in described.parent.iterdir():
            shutil.move(file, folder / file.name)


def champion_bundle(name: str) -> Path | None:
    """Return the bundle of the version with the alias champion, or None where none has it.

    Raises:
        TrackingError: The registry refuses or does not answer.
        BundleError: What arrived is damaged.
    """
    champion = version_of_alias(name, CHAMPION)
    return None if champion is None else download_bundle(name, champion.number)
