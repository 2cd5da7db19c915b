"""The model card of a version, with what identifies it: the notes of a release."""

from vitrine import tracking
from vitrine.core.errors import ReleaseError
from vitrine.core.markdown import plain, table
from vitrine.release.admission import OVERRIDDEN
from vitrine.release.versions import find

CARD = "evaluate/card.md"
"""Where `evaluate` keeps the card among the artifacts of its run."""


def card(name: str, which: str) -> str:
    """Return the model card of a version, Markdown; without its pictures, which lie in the run.

    Args:
        name: Of the registered model.
        which: The version's number, or an alias such as `champion`.

    Raises:
        ReleaseError: There is no such version, or its run holds no card.
        TrackingError: MLflow does not answer.
    """
    tracking.check()
    version = find(name, which)
    kept = tracking.run_file(version.run_id, CARD) if version.run_id else None
    if kept is None:
        raise ReleaseError(
            f"version {version.number} of {name!r} has no model card, {CARD} in its run "
            f"{version.run_id or '(none named)'}: make it anew with `dvc repro -f evaluate "
            "register`, or name another version"
        )
    verdict = version.tags.get("gate", "never judged")
    if reason := version.tags.get(OVERRIDDEN, ""):
        verdict = f"{verdict}, overridden: {plain(reason)}"
    facts = {
        "Gate": verdict,
        "Bundle": _code(version.bundle_digest),
        "Data": _code(version.tags.get("data_digest", "")),
        "Commit": _code(version.tags.get("git_commit", "")),
        "MLflow run": _code(version.run_id),
    }
    lines = [line for line in kept.decode().splitlines() if not line.startswith("![")]
    identified = table(("Version", f"{plain(name)} {version.number}"), facts.items())
    return "\n".join([identified, "", *lines]) + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else "unknown"
