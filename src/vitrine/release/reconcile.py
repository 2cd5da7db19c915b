"""What MLflow's alias champion asks for, made true here: checked, packaged, proven, recorded."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from vitrine import tracking
from vitrine.core.errors import BundleError, ServiceError
from vitrine.core.files import write_text
from vitrine.core.layout import scratch
from vitrine.core.pin import BENTOFILE, pinned_tag
from vitrine.core.taxonomy import HEADS
from vitrine.release.admission import OVERRIDDEN, Refusal, admit
from vitrine.release.history import in_service
from vitrine.release.package import Packaged, is_stored, model_tag, package, pin, read_bentofile
from vitrine.release.promote import note_of
from vitrine.release.running_service import await_model
from vitrine.tracking import CHAMPION, Outcome, Release, Version

TESTED = "test/"
"""What the figures of the test split begin with among the metrics of a run."""
KEPT = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "calibration_error")
"""The figures of a head that a record keeps."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one look found and did.

    Args:
        state: `none`: there is no champion; `in place`: nothing was to be decided; `accepted`,
            `refused`, `fell back`: what was decided and recorded.
        text: The same in words.
    """

    state: Literal["none", "in place"] | Outcome
    text: str

    @property
    def in_service(self) -> bool:
        """Whether the champion is in service now."""
        return self.state in ("in place", "accepted")


def reconcile(name: str, service: str, *, repackage: bool) -> Reconciled:
    """Look once at the champion and do what it asks for.

    A version that gate, lineage or digests refuse loses the alias, which goes back to the version
    in service; so does one with which the service does not come up. Each decision is recorded. A
    look that was cut short, wherever, is finished by the next one.

    Args:
        name: Of the registered model.
        service: The address of a running service that must take the version up; empty for none.
        repackage: Package and prove the champion also when it is in place already.

    Raises:
        TrackingError: MLflow does not answer.
        ReleaseError: Nothing can be packaged here, whichever version it is.
        BundleError: The version that is in service already is damaged, or does not prove itself.
        ServiceError: The service does not come up with the version that is in service already.
    """
    read_bentofile()
    with _alone():
        tracking.check()
        records = tracking.releases(name)
        accepted = in_service(records)
        present = accepted[-1] if accepted else None
        champion = tracking.version_of_alias(name, CHAMPION)
        if champion is None:
            return Reconciled("none", _no_champion(name, present))
        if present is not None and present.version == champion.number:
            return _keep(champion, service, repackage)
        return _decide(champion, present, records, service)


@contextmanager
def _alone() -> Iterator[None]:
    # One look at a time on this machine; the lock goes with its process, however that ends.
    path = scratch("release") / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _no_champion(name: str, present: Release | None) -> str:
    if present is None:
        return (
            f"the model {name!r} has no version with the alias {CHAMPION}: give it in the MLflow "
            "UI or with `vitrine promote VERSION`"
        )
    return (
        f"no version of {name!r} has the alias {CHAMPION} any more; version {present.version} "
        "stays in service"
    )


def _keep(champion: Version, service: str, repackage: bool) -> Reconciled:
    if not repackage and pinned_tag(BENTOFILE) == model_tag(champion) and is_stored(champion):
        return Reconciled("in place", f"version {champion.number} is in service")
    packaged = package(champion)
    _switch(packaged, service)
    return Reconciled("in place", f"{packaged.describe()}\n{BENTOFILE} pins it")


def _switch(packaged: Packaged, service: str) -> None:
    """Pin what was packaged; with an address, see the service take it up, or pin back."""
    before = pin(packaged.tag)
    if packaged.stored:
        # A service that missed the model in the store looks again when the file was touched.
        BENTOFILE.touch()
    if service:
        try:
            await_model(service, packaged.tag, packaged.version.bundle_digest)
        except ServiceError:
            write_text(BENTOFILE, before)
            raise


def _decide(
    champion: Version, present: Release | None, records: Sequence[Release], service: str
) -> Reconciled:
    decision = _draft(champion, present, records)
    try:
        admit(champion)
        packaged = package(champion)
        _switch(packaged, service)
    except (Refusal, BundleError) as error:
        return _turn_back(decision, "refused", str(error))
    except ServiceError as error:
        return _turn_back(decision, "fell back", str(error))
    accepted = replace(decision, bento=packaged.bento)
    tracking.record_release(accepted)
    _tell(accepted)
    forced = f" by force ({decision.why})" if OVERRIDDEN in champion.tags else ""
    return Reconciled(
        "accepted",
        f"{packaged.describe()}\n{BENTOFILE} pins it: commit that line\n"
        f"version {champion.number} is in service now{forced}",
    )


def _draft(champion: Version, present: Release | None, records: Sequence[Release]) -> Release:
    note = note_of(champion, records)
    facts = tracking.run_facts(champion.run_id)
    metrics = facts.metrics if facts else {}
    overridden = champion.tags.get(OVERRIDDEN, "")
    return Release(
        model=champion.name,
        version=champion.number,
        outcome="accepted",
        replaced=present.version if present else "",
        kind=note.kind,
        by=note.by,
        why=f"the gate failed, overridden: {overridden}" if overridden else note.why,
        promotion=note.promotion,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        bento="",
        bundle_digest=champion.bundle_digest,
        data_digest=champion.tags.get("data_digest", ""),
        git_commit=champion.tags.get("git_commit", ""),
        metrics={
            name: metrics[f"{TESTED}{name}"]
            for name in (f"{head}_{kept}" for head in HEADS for kept in KEPT)
            if f"{TESTED}{name}" in metrics
        },
    )


def _turn_back(decision: Release, outcome: Outcome, reason: str) -> Reconciled:
    """Record the decision, then give the alias back to what is in service."""
    refused = replace(decision, outcome=outcome, why=reason)
    tracking.record_release(refused)
    _tell(refused)
    now = tracking.version_of_alias(decision.model, CHAMPION)
    # Somebody may have promoted another version meanwhile: the next look is about that one.
    if now is not None and now.number == decision.version:
        if decision.replaced:
            tracking.set_alias(decision.model, CHAMPION, decision.replaced)
        else:
            tracking.remove_alias(decision.model, CHAMPION)
    back = f"to version {decision.replaced}" if decision.replaced else "to none"
    return Reconciled(outcome, f"{reason}\nthe alias {CHAMPION} went back {back}")


def _tell(release: Release) -> None:
    text = f"{release.outcome} {release.at}"
    if release.outcome != "accepted":
        text = f"{text}: {release.why}"
    tracking.set_version_tags(release.model, release.version, {"release": text})
