"""Promotion: a person, or a command in their name, makes a version the champion."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from vitrine import tracking
from vitrine.core.errors import ReleaseError
from vitrine.release.admission import OVERRIDDEN, gate_refusal, judged_otherwise, override
from vitrine.release.history import in_service
from vitrine.release.versions import find
from vitrine.tracking import CHAMPION, Kind, Release, Version

UNKNOWN = "unknown (MLflow does not say who set the alias)"


@dataclass(frozen=True, slots=True)
class Promoted:
    """Which version is the champion now, and which one was before (empty for none).

    Args:
        name: Of the registered model.
        number: Of the version that was asked for.
        replaced: The version before it.
        overtaken: The version that someone else made the champion at the same moment; else empty.
        caution: What should be known about it; else empty.
    """

    name: str
    number: str
    replaced: str
    overtaken: str
    caution: str

    def describe(self) -> str:
        """Return the lines that a person sees."""
        if self.overtaken:
            return (
                f"{self.name} version {self.number} was the champion for a moment: somebody else "
                f"promoted version {self.overtaken} right after it, and that one stays."
            )
        if self.replaced == self.number:
            return f"{self.name} version {self.number} is the champion already."
        instead = f" instead of version {self.replaced}" if self.replaced else ""
        lines = [
            f"{self.name} version {self.number} is the champion now{instead}.",
            self.caution,
            "`vitrine watch`, where it runs, puts it into service; else run `vitrine package`.",
        ]
        return "\n".join(filter(None, lines))


@dataclass(frozen=True, slots=True)
class Note:
    """Who promoted a version, why, and whether to go back to it, as far as MLflow knows."""

    by: str
    why: str
    promotion: str
    kind: Kind


def promote(name: str, which: str, *, force: bool, reason: str, kind: Kind) -> Promoted:
    """Give a version the alias champion, and note on it when, by whom, why, instead of which one.

    Args:
        name: Of the registered model.
        which: The version's number, or an alias such as `challenger`.
        force: Promote a version that the gate did not pass; `reason` must say why.
        reason: Why, in words; may be empty where nothing is forced.
        kind: `rollback` when it was in service before and what came after it is taken back.

    Raises:
        ReleaseError: There is no such version, or the gate did not pass it and nothing is forced.
        TrackingError: The registry refuses or does not answer.
    """
    tracking.check()
    version = find(name, which)
    if not version.gate_passed and not force and not version.tags.get(OVERRIDDEN):
        raise ReleaseError(gate_refusal(version))
    if not version.gate_passed and force:
        override(version, reason)
    champion = tracking.version_of_alias(name, CHAMPION)
    replaced = champion.number if champion else ""
    if replaced == version.number:
        return Promoted(name, version.number, replaced, "", "")
    tags = {
        "promoted_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "promoted_by": tracking.user(),
        "promoted_instead_of": replaced or "none",
        "promoted_because": reason,
        "promotion": f"{kind} {uuid4().hex}",
    }
    tracking.set_version_tags(name, version.number, tags)
    tracking.set_alias(name, CHAMPION, version.number)
    now = tracking.version_of_alias(name, CHAMPION)
    overtaken = now.number if now and now.number != version.number else ""
    if overtaken:
        # Else this note would speak for whoever gives it the alias some other day.
        tracking.set_version_tags(name, version.number, {"promotion": ""})
    caution = judged_otherwise(version, replaced) if kind == "promotion" else ""
    return Promoted(name, version.number, replaced, overtaken, caution)


def rollback(name: str, reason: str) -> Promoted:
    """Make the version the champion again that was in service before the present one.

    Raises:
        ReleaseError: None was in service before.
        TrackingError: The registry refuses or does not answer.
    """
    tracking.check()
    accepted = in_service(tracking.releases(name))
    champion = tracking.version_of_alias(name, CHAMPION)
    before = [entry for entry in accepted if champion and entry.version != champion.number]
    if not before:
        raise ReleaseError(
            f"no version of the model {name!r} was in service before the present one: see "
            "`vitrine history`, or promote another one with `vitrine promote VERSION`"
        )
    return promote(name, before[-1].version, force=False, reason=reason, kind="rollback")


def note_of(version: Version, records: Sequence[Release]) -> Note:
    """Return what `vitrine promote` noted on a version; nothing, when that was answered before.

    Args:
        version: The champion.
        records: What was decided until now.
    """
    promotion = version.tags.get("promotion", "")
    if not promotion or promotion in {record.promotion for record in records}:
        return Note(UNKNOWN, "", "", "promotion")
    return Note(
        version.tags.get("promoted_by", UNKNOWN),
        version.tags.get("promoted_because", ""),
        promotion,
        "rollback" if promotion.startswith("rollback ") else "promotion",
    )
