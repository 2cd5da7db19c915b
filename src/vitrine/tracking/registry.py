"""The registered model: its versions, their tags, descriptions and aliases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitrine.tracking.store import client, speaking

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION = "champion"
CHALLENGER = "challenger"


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


def verdict_folder(digest: str) -> str:
    """Return where a run keeps the gate's verdict on a bundle, among its artifacts."""
    return f"register/{digest[:12]}"


def find_version(name: str, number: str) -> Version | None:
    """Return a version by its number, or None where there is none. Raises `TrackingError`."""
    return _found(lambda store: store.get_model_version(name, number))


def version_of_alias(name: str, alias: str) -> Version | None:
    """Return the version that has an alias, or None where none has. Raises `TrackingError`."""
    return _found(lambda store: store.get_model_version_by_alias(name, alias))


def version_by_digest(name: str, digest: str) -> str | None:
    """Return the number of the newest version whose bundle's digest begins so, or None.

    Raises:
        TrackingError: The registry refuses or does not answer.
    """
    with speaking():
        wanted = f"name = '{name}' and tags.bundle_digest LIKE '{digest}%'"
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
    from mlflow.exceptions import MlflowException

    store = client()
    try:
        store.set_registered_model_alias(name, alias, number)
    except MlflowException:
        # Two who give an alias that no version has yet collide in MLflow's database.
        store.set_registered_model_alias(name, alias, number)


@speaking()
def set_version_tags(name: str, number: str, tags: Mapping[str, str]) -> None:
    """Set tags of a version, replacing those of the same names. Raises `TrackingError`."""
    store = client()
    for key, text in tags.items():
        store.set_model_version_tag(name, number, key, text)


@speaking()
def describe_version(name: str, number: str, text: str) -> None:
    """Set the description of a version, Markdown. Raises `TrackingError`."""
    client().update_model_version(name, number, text)


@speaking()
def remove_alias(name: str, alias: str) -> None:
    """Take an alias away from whichever version has it. Raises `TrackingError`."""
    client().delete_registered_model_alias(name, alias)
