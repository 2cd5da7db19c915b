"""Whether a version may go into service: gate, lineage and digests."""

from vitrine import tracking
from vitrine.core.errors import ReleaseError
from vitrine.release.lineage import registry_links
from vitrine.tracking import Version

OVERRIDDEN = "gate_overridden"
"""The tag with the reason why a version goes into service although the gate did not pass it."""


class Refusal(ReleaseError):
    """A version may not go into service."""


def admit(version: Version) -> None:
    """Let a version through, or say why not.

    Raises:
        Refusal: Vitrine did not register it, the gate did not pass it and nobody has overridden
            that, or a link of its lineage is broken.
        TrackingError: The registry does not answer.
    """
    if not version.bundle_digest:
        raise Refusal(
            f"version {version.number} of {version.name!r} was not registered by Vitrine, it has "
            "no tag bundle_digest: promote another one"
        )
    if not version.gate_passed and not version.tags.get(OVERRIDDEN):
        raise Refusal(gate_refusal(version))
    broken = [link for link in registry_links(version) if link.state == "broken"]
    if broken:
        found = "; ".join(f"{link.name}: {link.text}" for link in broken)
        raise Refusal(
            f"the lineage of version {version.number} of {version.name!r} is broken ({found}): "
            "register it anew with `dvc repro -f register`, or promote another one"
        )


def gate_refusal(version: Version) -> str:
    """Return why a version that did not pass the gate is refused, and what can be done."""
    if "gate" in version.tags:
        found = f"did not pass the gate ({version.tags.get('gate_reasons', 'no reason noted')})"
    else:
        found = "was never judged by the gate, because `vitrine register` did not make it"
    return (
        f"version {version.number} of the model {version.name!r} {found}: promote another one, or "
        f'say why with `vitrine promote {version.number} --force --reason "…"`'
    )


def judged_otherwise(version: Version, replaced: str) -> str:
    """Return a sentence when the gate compared a version with another one than it replaces.

    Args:
        version: The champion to be.
        replaced: The number of the version that it takes the place of; empty for none.
    """
    rival = version.tags.get("judged_against", replaced)
    if not replaced or rival == replaced:
        return ""
    other = "no champion" if rival == "none" else f"version {rival}"
    return (
        f"The gate judged version {version.number} against {other}, not against version "
        f"{replaced}, which it replaces: see `vitrine compare {version.number} {replaced}`."
    )


def override(version: Version, reason: str) -> None:
    """Note on a version why it may go into service although the gate did not pass it.

    Raises:
        TrackingError: The registry does not answer.
    """
    note = f"{reason} ({tracking.user()})"
    tracking.set_version_tags(version.name, version.number, {OVERRIDDEN: note})


def override_champion(name: str, reason: str) -> None:
    """Note on the present champion why it may go into service although the gate did not pass it.

    Raises:
        ReleaseError: There is no champion, or the gate passed it.
        TrackingError: The registry does not answer.
    """
    tracking.check()
    champion = tracking.version_of_alias(name, tracking.CHAMPION)
    if champion is None or champion.gate_passed:
        which = f"version {champion.number} passed the gate" if champion else "there is no champion"
        raise ReleaseError(f"--force has nothing to force: {which}; leave it out")
    override(champion, reason)
