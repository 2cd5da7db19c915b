"""What MLflow's alias champion asks for, made true here: checked, packaged, proven, recorded."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from vitrine import tracking
from vitrine.core.errors import BundleError, ReleaseError, ServiceError
from vitrine.core.files import write_text
from vitrine.core.layout import scratch
from vitrine.core.pin import BENTOFILE, pinned_tag
from vitrine.core.taxonomy import HEADS
from vitrine.release.admission import OVERRIDDEN, Refusal, admit, judged_otherwise
from vitrine.release.history import in_service
from vitrine.release.package import Packaged, is_stored, model_tag, package, pin, read_bentofile
from vitrine.release.promote import note_of
from vitrine.release.running_service import await_model, check_service
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

    def settled(self) -> str:
        """Return the words of a champion that is in service now.

        Raises:
            ReleaseError: It is not, in the same words.
        """
        if self.state not in ("in place", "accepted"):
            raise ReleaseError(self.text)
        return self.text


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
        ReleaseError: Nothing can be packaged here, or the service does not answer, whichever
            version it is.
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
            kept = _keep(champion, service, repackage)
            _tell(
                next(entry for entry in reversed(records) if entry.outcome == "accepted"), champion
            )
            return kept
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
        # The first version must be there before any service can start.
        if service and present:
            check_service(service)
        packaged = package(champion)
        _switch(packaged, service)
    except (Refusal, BundleError) as error:
        return _turn_back(replace(decision, outcome="refused", why=str(error)), champion, records)
    except ServiceError as error:
        return _turn_back(replace(decision, outcome="fell back", why=str(error)), champion, records)
    _record(replace(decision, bento=packaged.bento), champion, records)
    forced = f" by force ({decision.why})" if _overridden(champion) else ""
    caution = "" if decision.kind == "rollback" else judged_otherwise(champion, decision.replaced)
    lines = [
        packaged.describe(),
        f"{BENTOFILE} pins it: commit that line",
        caution,
        f"version {champion.number} is in service now{forced}",
    ]
    return Reconciled("accepted", "\n".join(filter(None, lines)))


def _draft(champion: Version, present: Release | None, records: Sequence[Release]) -> Release:
    note = note_of(champion, records)
    facts = tracking.run_facts(champion.run_id)
    metrics = facts.metrics if facts else {}
    why = note.why
    if overridden := _overridden(champion):
        also = f"; {why}" if why not in overridden else ""
        why = f"the gate failed, overridden: {overridden}{also}"
    return Release(
        model=champion.name,
        version=champion.number,
        outcome="accepted",
        replaced=present.version if present else "",
        kind=note.kind,
        by=note.by,
        why=why,
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


def _overridden(champion: Version) -> str:
    return "" if champion.gate_passed else champion.tags.get(OVERRIDDEN, "")


def _turn_back(refused: Release, champion: Version, records: Sequence[Release]) -> Reconciled:
    """Record the decision, then give the alias back to what is in service."""
    _record(refused, champion, records)
    back = refused.replaced
    if back and tracking.find_version(refused.model, back) is None:
        back = ""
    now = tracking.version_of_alias(refused.model, CHAMPION)
    # Somebody may have promoted another version meanwhile: the next look is about that one.
    if now is not None and now.number == refused.version:
        if back:
            tracking.set_alias(refused.model, CHAMPION, back)
        else:
            tracking.remove_alias(refused.model, CHAMPION)
    to = f"to version {back}" if back else "to none"
    return Reconciled(refused.outcome, f"{refused.why}\nthe alias {CHAMPION} went back {to}")


def _record(decision: Release, champion: Version, before: Sequence[Release]) -> None:
    """Record a decision once and tell it on the version.

    It may be there: from a look that was cut short between the two, as the newest record before
    this look, or from another machine's watcher, as one that came during it.

    Args:
        decision: What to record.
        champion: The version that it is about, as it was when this look began.
        before: The records when this look began.
    """
    cut_short = [entry for entry in before[-1:] if not _is_told(entry, champion)]
    during = tracking.releases(decision.model)[len(before) :]
    known = [
        entry
        for entry in (*during, *cut_short)
        if (entry.version, entry.outcome, entry.promotion)
        == (decision.version, decision.outcome, decision.promotion)
    ]
    if not known:
        tracking.record_release(decision)
    _tell(known[0] if known else decision, champion)


def _is_told(release: Release, champion: Version) -> bool:
    return champion.tags.get("release", "").startswith(f"{release.outcome} {release.at}")


def _tell(release: Release, champion: Version) -> None:
    if _is_told(release, champion):
        return
    text = f"{release.outcome} {release.at}"
    if release.outcome != "accepted":
        text = f"{text}: {release.why}"
    tracking.set_version_tags(release.model, release.version, {"release": text})
