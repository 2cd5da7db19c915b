"""What MLflow's champion asks for is made true, or turned back; whatever is cut short is finished."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from mlflow import MlflowClient

import registering
from registering import version
from vitrine import tracking
from vitrine.bundle import golden
from vitrine.bundle.format import load_info
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import ReleaseError, TrackingError
from vitrine.core.pin import pinned_tag
from vitrine.release import package as packaging
from vitrine.release import reconcile as module
from vitrine.release.admission import override_champion
from vitrine.release.bento import has_bento
from vitrine.release.package import is_stored, model_tag
from vitrine.release.promote import promote, rollback
from vitrine.release.reconcile import Reconciled, reconcile

Register = Callable[..., str]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning"),  # bentoml 1.4.39
]


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prove a Bento by its bundle alone: that it is served for it is seen in test_package.py."""
    if request.function is not test_a_champion_goes_into_service_and_is_recorded:
        prove = lambda _, bundle: golden.prove(Runtime(bundle))  # noqa: E731
        monkeypatch.setattr(packaging, "prove_bento", prove)


def look(name: str, service: str = "") -> Reconciled:
    return reconcile(name, service, repackage=False)


def champion(name: str) -> str | None:
    found = tracking.version_of_alias(name, "champion")
    return found and found.number


def outcomes(name: str) -> list[tuple[str, str]]:
    return [(release.version, release.outcome) for release in tracking.releases(name)]


def test_a_champion_goes_into_service_and_is_recorded(
    register: Register, name: str, bentofile: Path, tiny_bundle: Path
) -> None:
    number = register(alias="challenger")
    assert look(name).state == "none"
    assert "has no version with the alias champion: give it in the MLflow UI" in look(name).text
    promote(name, number, force=False, reason="the first one", kind="promotion")
    found = look(name)
    assert found.state == "accepted"
    assert f"version {number} is in service now" in found.text
    assert pinned_tag(bentofile) == model_tag(version(name, number))
    (record,) = tracking.releases(name)
    assert has_bento(record.bento)
    assert (record.version, record.outcome, record.replaced) == (number, "accepted", "")
    assert (record.by, record.why) == (tracking.user(), "the first one")
    assert record.bundle_digest == load_info(tiny_bundle).digest
    assert record.metrics == {"style_macro_f1": 0.75, "category_macro_f1": 0.5}
    assert version(name, number).tags["release"] == f"accepted {record.at}"

    before = bentofile.stat().st_mtime_ns
    assert look(name).state == "in place"
    assert reconcile(name, "", repackage=True).state == "in place"
    assert outcomes(name) == [(number, "accepted")]
    assert bentofile.stat().st_mtime_ns == before


def test_a_failed_gate_is_turned_back_to_the_version_in_service(
    register: Register, name: str, bentofile: Path, other_bundle: Path
) -> None:
    good = register()
    assert look(name).state == "accepted"
    pinned = pinned_tag(bentofile)
    bad = register(other_bundle, gate="failed")
    found = look(name)
    assert found.state == "refused"
    assert "did not pass the gate (style macro F1 0.1 is below 0.4)" in found.text
    assert found.text.endswith(f"the alias champion went back to version {good}")
    assert champion(name) == good
    assert pinned_tag(bentofile) == pinned
    assert not is_stored(version(name, bad))
    record = tracking.releases(name)[-1]
    assert (record.version, record.outcome) == (bad, "refused")
    assert record.by.startswith("unknown (MLflow does not say")
    assert "did not pass the gate" in record.why
    assert version(name, bad).tags["release"].startswith("refused ")
    assert look(name).state == "in place"


def test_the_first_one_is_refused_too(register: Register, name: str, bentofile: Path) -> None:
    register(gate="failed")
    assert look(name).text.endswith("the alias champion went back to none")
    assert champion(name) is None
    assert pinned_tag(bentofile) is None


def test_force_lets_a_failed_gate_through_and_says_so(
    register: Register, name: str, bentofile: Path
) -> None:
    number = register(gate="failed")
    override_champion(name, "a recall")
    found = look(name)
    assert found.state == "accepted"
    assert "by force (the gate failed, overridden: a recall (" in found.text
    (record,) = tracking.releases(name)
    assert record.why.startswith("the gate failed, overridden: a recall (")
    tracking.set_version_tags(name, number, {"gate": "passed"})
    with pytest.raises(ReleaseError, match="--force has nothing to force: version 1 passed"):
        override_champion(name, "again")


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"bundle_digest": ""}, "was not registered by Vitrine"),
        ({"bundle_digest": "0" * 64}, "does not hold the bundle that its tag"),
        ({"data_digest": "other.dir"}, r"version → data: the version's tag says other\.dir"),
        ({"git_commit": "0" * 40}, "version → commit: the version's tag says 000"),
        ({"gate": "failed", "gate_overridden": "x"}, "the tag gate is failed, the run's verdict"),
    ],
)
def test_broken_digests_and_lineage_are_refused(
    register: Register, name: str, bentofile: Path, tags: dict[str, str], words: str
) -> None:
    tracking.set_version_tags(name, register(), tags)
    found = look(name)
    assert found.state == "refused"
    assert re.search(words, found.text)
    assert champion(name) is None


def test_a_bundle_that_answers_otherwise_is_refused(
    register: Register, name: str, bentofile: Path, forged_bundle: Path
) -> None:
    register(forged_bundle)
    found = look(name)
    assert found.state == "refused"
    assert "does not answer its golden images" in found.text


def test_rolling_back_goes_a_step_further_each_time(
    register: Register, name: str, bentofile: Path, other_bundle: Path
) -> None:
    first = register()
    look(name)
    second = register(other_bundle)
    look(name)
    promoted = rollback(name, "complaints")
    assert (promoted.number, promoted.replaced) == (first, second)
    assert look(name).state == "accepted"
    assert pinned_tag(bentofile) == model_tag(version(name, first))
    last = tracking.releases(name)[-1]
    assert (last.kind, last.why, last.replaced) == ("rollback", "complaints", second)
    with pytest.raises(ReleaseError, match="was in service before the present one"):
        rollback(name, "")


def test_an_alias_that_was_taken_away_changes_nothing(
    register: Register, name: str, bentofile: Path
) -> None:
    number = register()
    look(name)
    tracking.remove_alias(name, "champion")
    found = look(name)
    assert found.state == "none"
    assert f"version {number} stays in service" in found.text


def test_a_promotion_meanwhile_is_not_overwritten_by_a_refusal(
    register: Register, name: str, bentofile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(gate="failed")
    other = register(alias="challenger")
    record = tracking.record_release

    def meanwhile(release: tracking.Release) -> None:
        record(release)
        tracking.set_alias(name, "champion", other)

    with monkeypatch.context() as patch:
        patch.setattr(tracking, "record_release", meanwhile)
        assert look(name).state == "refused"
    assert champion(name) == other
    assert look(name).state == "accepted"


@pytest.mark.parametrize("step", ["package", "_switch", "record", "tell"])
@pytest.mark.parametrize("gate", ["passed", "failed"])
def test_a_look_that_was_cut_short_is_finished_by_the_next(
    step: str,
    gate: str,
    register: Register,
    name: str,
    bentofile: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = register(gate=gate)

    def gone(*_: object, **__: object) -> None:
        raise TrackingError("the server went away")

    with monkeypatch.context() as patch:
        if step == "record":
            patch.setattr(tracking, "record_release", gone)
        elif step == "tell":
            patch.setattr(tracking, "set_version_tags", gone)
        else:
            patch.setattr(module, step, gone)
        if gate == "passed" or step in ("record", "tell"):
            with pytest.raises(TrackingError):
                look(name)
        else:
            look(name)
    look(name)
    assert champion(name) == (number if gate == "passed" else None)
    assert {outcome for _, outcome in outcomes(name)} == {
        "accepted" if gate == "passed" else "refused"
    }
    if gate == "passed":
        assert outcomes(name) == [(number, "accepted")]
        assert pinned_tag(bentofile) == model_tag(version(name, number))
        assert look(name).state == "in place"


@pytest.mark.parametrize("gate", ["passed", "failed"])
def test_what_was_recorded_but_not_told_is_told_and_not_recorded_again(
    gate: str, register: Register, name: str, bentofile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = register(gate=gate)

    def gone(*_: object) -> None:
        raise TrackingError("the server went away")

    with monkeypatch.context() as patch:
        patch.setattr(tracking, "set_version_tags", gone)
        for _ in range(2):
            with pytest.raises(TrackingError):
                look(name)
    look(name)
    (record,) = tracking.releases(name)
    told = version(name, number).tags["release"]
    assert told.startswith(f"{record.outcome} {record.at}")
    if gate == "failed":
        tracking.set_alias(name, "champion", number)
        assert look(name).state == "refused"
        assert len(tracking.releases(name)) == 2


def test_another_watcher_was_quicker(
    register: Register, name: str, bentofile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = register()
    switch = module._switch

    def meanwhile(packaged: packaging.Packaged, service: str) -> None:
        switch(packaged, service)
        with monkeypatch.context() as patch:
            patch.setattr(module, "_alone", nullcontext)
            patch.setattr(module, "_switch", switch)
            assert look(name).state == "accepted"

    monkeypatch.setattr(module, "_switch", meanwhile)
    assert look(name).state == "accepted"
    assert outcomes(name) == [(number, "accepted")]


def test_the_version_in_service_is_gone_from_the_registry(
    register: Register, name: str, bentofile: Path, stores: Path
) -> None:
    good = register()
    look(name)
    bad = register(gate="failed")
    MlflowClient(f"sqlite:///{stores / 'mlflow.db'}").delete_model_version(name, good)
    assert look(name).text.endswith("the alias champion went back to none")
    assert champion(name) is None
    assert outcomes(name)[-1] == (bad, "refused")


@contextmanager
def answering(*cards: str, left: list[str] | None = None) -> Iterator[str]:
    """A server that answers with these JSON texts one after the other, then with the last one.

    `left` loses the text of each answer, but for the last one.
    """
    remaining = [*cards] if left is None else left

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            said = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            self.wfile.write(said.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_service_that_refuses_the_new_version_sends_it_back(
    register: Register, name: str, bentofile: Path, other_bundle: Path
) -> None:
    good = register()
    assert look(name).state == "accepted"
    pinned = pinned_tag(bentofile)
    bad = register(other_bundle)
    tag = model_tag(version(name, bad))
    card = f"""{{"tag": "x", "version": "{good}", "bundle_digest": "y", "worker": 1, "workers": 1,
        "refused": {{"tag": "{tag}", "reason": "no memory"}}}}"""
    with answering(card) as service:
        found = look(name, service)
    assert found.state == "fell back"
    assert "(no memory) and stays with version 1" in found.text
    assert champion(name) == good
    assert pinned_tag(bentofile) == pinned
    assert outcomes(name)[-1] == (bad, "fell back")


def test_a_service_that_does_not_take_the_version_up_in_time(
    register: Register, name: str, bentofile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vitrine.release import running_service

    monkeypatch.setattr(running_service, "PATIENCE", 0.5)
    register()
    card = (
        '{"tag": "x", "version": "9", "bundle_digest": "y", "worker": 1, "workers": 1, '
        '"refused": null}'
    )
    with answering(card) as service:
        found = look(name, service)
    assert found.state == "fell back"
    assert "it answers by version 9" in found.text
    assert pinned_tag(bentofile) is None


@pytest.mark.parametrize("card", ["[]", '{"version": "1"}', "hello"])
def test_no_version_is_to_blame_for_a_service_that_does_not_answer(
    card: str, register: Register, name: str, bentofile: Path, other_bundle: Path
) -> None:
    register()
    look(name)
    before = bentofile.read_text()
    number = register(other_bundle)
    with (
        answering(card) as service,
        pytest.raises(ReleaseError, match=r"does not answer .*start it"),
    ):
        look(name, service)
    with pytest.raises(ReleaseError, match="does not answer"):
        look(name, "http://127.0.0.1:9")
    assert champion(name) == number
    assert len(outcomes(name)) == 1
    assert bentofile.read_text() == before


def test_every_worker_must_have_taken_it_up(
    register: Register, name: str, bentofile: Path, tiny_bundle: Path
) -> None:
    tag = model_tag(version(name, register()))
    new = {"tag": tag, "version": "1", "bundle_digest": load_info(tiny_bundle).digest}
    old = {"tag": "x", "version": "0", "bundle_digest": "y"}
    told = [(new, 1), (new, 1), (old, 2), (new, 1), (new, 2), (old, 2)]
    cards = [
        json.dumps({**card, "worker": worker, "workers": 2, "refused": None})
        for card, worker in told
    ]
    left = [*cards]
    with answering(*cards, left=left) as service:
        assert look(name, service).state == "accepted"
    assert left == cards[-1:]


def test_without_a_bentofile_no_version_is_to_blame(
    register: Register, name: str, bentofile: Path
) -> None:
    number = register()
    bentofile.unlink()
    with pytest.raises(ReleaseError, match="run the command from the root of the repository"):
        look(name)
    assert champion(name) == number
    assert outcomes(name) == []


def test_no_registry_answers(name: str, bentofile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(TrackingError, match=r"http://127\.0\.0\.1:9 cannot be used"):
        look(name)


def test_two_people_promote_at_the_same_moment(
    register: Register, name: str, bentofile: Path, other_bundle: Path
) -> None:
    one, two = register(alias="challenger"), register(other_bundle, alias="challenger")
    threads = [
        Thread(target=lambda n=n: promote(name, n, force=False, reason=n, kind="promotion"))
        for n in (one, two)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = champion(name)
    assert winner in (one, two)
    assert look(name).state == "accepted"
    (record,) = tracking.releases(name)
    assert (record.version, record.why) == (winner, winner)


def test_registering_helper_leaves_a_whole_lineage(name: str, tiny_bundle: Path) -> None:
    from vitrine.release.lineage import registry_links

    number = registering.register(tiny_bundle, name, gate="passed", alias="challenger")
    assert {link.state for link in registry_links(version(name, number))} == {"holds"}
