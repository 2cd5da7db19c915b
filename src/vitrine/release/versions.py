"""Versions of the registered model by the names that people give them."""

from vitrine import tracking
from vitrine.core.errors import ReleaseError
from vitrine.tracking import Version


def find(name: str, which: str) -> Version:
    """Return a version of a registered model.

    Args:
        name: Of the registered model.
        which: The version's number, or an alias such as `challenger`.

    Raises:
        ReleaseError: There is no such version.
        TrackingError: The registry refuses or does not answer.
    """
    if which.isdecimal():
        version = tracking.find_version(name, which)
        what = f"no version {which}"
    else:
        version = tracking.version_of_alias(name, which)
        what = f"no version with the alias {which!r}"
    if version is None:
        raise ReleaseError(
            f"the model {name!r} has {what} in MLflow: register one with `dvc repro`, or look at "
            "those that there are with `make ui`"
        )
    return version
