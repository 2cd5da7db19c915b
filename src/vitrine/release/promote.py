"""Promotion: a person, or a command in their name, makes a version the champion."""

from dataclasses import dataclass
from datetime import UTC, datetime

from vitrine import tracking
from vitrine.core.errors import ReleaseError


@dataclass(frozen=True, slots=True)
class Promoted:
    """Which version is the champion now, and which one was before (empty for none)."""

    name: str
    number: str
    replaced: str

    def describe(self) -> str:
        """Return the lines that a person sees."""
        if self.replaced == self.number:
            return f"{self.name} version {self.number} is the champion already."
        instead = f" instead of version {self.replaced}" if self.replaced else ""
        return (
            f"{self.name} version {self.number} is the champion now{instead}.\n"
            "Put it into service: `vitrine package`, then `bentoml serve`."
        )


def promote(name: str, which: str, override: str = "") -> Promoted:
    """Give a version the alias champion, and note on it when, by whom and instead of which one.

    Args:
        name: Of the registered model.
        which: The version's number, or an alias such as `challenger`.
        override: Why a version that the gate did not pass is promoted all the same; empty: it is
            refused.

    Raises:
        ReleaseError: There is no such version, or the gate did not pass it and no reason is given.
        TrackingError: The registry refuses or does not answer.
    """
    tracking.check()
    version = _find(name, which)
    if not version.gate_passed and not override:
        raise ReleaseError(_refusal(version))
    champion = tracking.version_of_alias(name, tracking.CHAMPION)
    replaced = champion.number if champion else ""
    if replaced != version.number:
        tags = {
            "promoted_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "promoted_by": tracking.user(),
            "promoted_instead_of": replaced or "none",
        }
        if not version.gate_passed:
            tags["gate_overridden"] = override
        tracking.set_version_tags(name, version.number, tags)
        tracking.set_alias(name, tracking.CHAMPION, version.number)
    return Promoted(name, version.number, replaced)


def _find(name: str, which: str) -> tracking.Version:
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


def _refusal(version: tracking.Version) -> str:
    if "gate" in version.tags:
        found = f"did not pass the gate ({version.tags.get('gate_reasons', 'no reason noted')})"
    else:
        found = "was never judged by the gate, because `vitrine register` did not make it"
    return (
        f"version {version.number} of the model {version.name!r} {found}: promote another one, or "
        f'say why with `vitrine promote {version.number} --force --reason "…"`'
    )
