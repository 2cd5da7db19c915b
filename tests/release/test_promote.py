"""A version becomes the champion, or it is said why not."""

from pathlib import Path

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from vitrine import tracking
from vitrine.cli import app
from vitrine.core.errors import ReleaseError, TrackingError
from vitrine.release.promote import Promoted, rollback
from vitrine.release.promote import promote as _promote


def promote(name: str, which: str, *, force: bool = False, reason: str = "") -> Promoted:
    return _promote(name, which, force=force, reason=reason, kind="promotion")


@pytest.fixture
def registry(store: Path) -> MlflowClient:
    """Versions 1 (passed), 2 (failed) and 3 (not by Vitrine); 1 is the challenger."""
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    client.create_registered_model("vitrine")
    for tags in ({"gate": "passed"}, {"gate": "failed", "gate_reasons": "too weak"}, {}):
        client.create_model_version("vitrine", store.as_uri(), tags=tags)
    client.set_registered_model_alias("vitrine", "challenger", "1")
    return client


def _champion() -> str | None:
    version = tracking.version_of_alias("vitrine", "champion")
    return version and version.number


@pytest.mark.parametrize("which", ["1", "challenger"])
def test_a_version_by_number_or_alias(registry: MlflowClient, which: str) -> None:
    said = promote("vitrine", which).describe()
    assert said.startswith("vitrine version 1 is the champion now.\n")
    assert "`vitrine package`" in said
    assert _champion() == "1"
    tags = registry.get_model_version("vitrine", "1").tags
    assert tags["promoted_instead_of"] == "none"
    assert tags["promoted_by"]
    assert tags["promoted_at"].endswith("+00:00")


def test_the_champion_before_is_named(registry: MlflowClient) -> None:
    registry.set_registered_model_alias("vitrine", "champion", "3")
    said = promote("vitrine", "1").describe()
    assert said.startswith("vitrine version 1 is the champion now instead of version 3.")
    assert registry.get_model_version("vitrine", "1").tags["promoted_instead_of"] == "3"


def test_promoting_again_changes_nothing(registry: MlflowClient) -> None:
    promote("vitrine", "1")
    before = registry.get_model_version("vitrine", "1").tags
    assert promote("vitrine", "1").describe() == "vitrine version 1 is the champion already."
    assert registry.get_model_version("vitrine", "1").tags == before


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("2", r"version 2 of the model 'vitrine' did not pass the gate \(too weak\)"),
        ("3", "version 3 of the model 'vitrine' was never judged by the gate"),
    ],
)
def test_a_version_that_did_not_pass_is_refused(
    registry: MlflowClient, number: str, words: str
) -> None:
    with pytest.raises(ReleaseError, match=words) as caught:
        promote("vitrine", number)
    assert f'`vitrine promote {number} --force --reason "…"`' in str(caught.value)
    assert _champion() is None


def test_a_reason_overrides_the_gate_and_is_noted(registry: MlflowClient) -> None:
    promote("vitrine", "2", force=True, reason="the other one is broken")
    assert _champion() == "2"
    tags = registry.get_model_version("vitrine", "2").tags
    assert tags["gate_overridden"].startswith("the other one is broken (")
    assert tags["gate"] == "failed"


@pytest.mark.parametrize(
    ("which", "words"), [("7", "no version 7"), ("canary", "no version with the alias 'canary'")]
)
def test_a_version_that_is_not_there(registry: MlflowClient, which: str, words: str) -> None:
    with pytest.raises(ReleaseError, match=f"the model 'vitrine' has {words} in MLflow"):
        promote("vitrine", which)


def test_nothing_was_ever_registered(store: Path) -> None:
    with pytest.raises(ReleaseError, match="register one with `dvc repro`"):
        promote("vitrine", "challenger")


def test_no_registry_answers(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(TrackingError, match="connection refused"):
        promote("vitrine", "1")


def test_force_needs_a_reason() -> None:
    result = CliRunner().invoke(app, ["promote", "2", "--force"])
    assert result.exit_code == 2
    assert "--force needs --reason" in result.output


def test_a_reason_without_force_is_kept(registry: MlflowClient) -> None:
    promote("vitrine", "1", reason="the autumn range")
    assert registry.get_model_version("vitrine", "1").tags["promoted_because"] == "the autumn range"


def test_whoever_comes_second_at_the_same_moment_wins_and_the_first_is_told(
    registry: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_alias = tracking.set_alias

    def slowly(name: str, alias: str, number: str) -> None:
        set_alias(name, alias, number)
        registry.set_registered_model_alias(name, alias, "3")

    monkeypatch.setattr(tracking, "set_alias", slowly)
    said = promote("vitrine", "1").describe()
    assert "somebody else promoted version 3 right after it, and that one stays" in said
    assert _champion() == "3"
    assert registry.get_model_version("vitrine", "1").tags["promotion"] == ""


def test_force_is_noted_on_a_version_that_is_the_champion_already(registry: MlflowClient) -> None:
    registry.set_registered_model_alias("vitrine", "champion", "2")
    said = promote("vitrine", "2", force=True, reason="a recall").describe()
    assert said == "vitrine version 2 is the champion already."
    tags = registry.get_model_version("vitrine", "2").tags
    assert tags["gate_overridden"].startswith("a recall (")


@pytest.mark.parametrize(
    ("rival", "words"),
    [
        ("2", "The gate judged version 1 against version 2, not against version 3, which it"),
        ("none", "The gate judged version 1 against no champion, not against version 3"),
        ("3", ""),
    ],
)
def test_a_verdict_against_another_champion_is_said(
    registry: MlflowClient, rival: str, words: str
) -> None:
    registry.set_registered_model_alias("vitrine", "champion", "3")
    registry.set_model_version_tag("vitrine", "1", "judged_against", rival)
    said = promote("vitrine", "1").describe()
    assert words in said
    assert ("vitrine compare 1 3" in said) == bool(words)


def test_there_is_nothing_to_roll_back_to(registry: MlflowClient) -> None:
    promote("vitrine", "1")
    with pytest.raises(ReleaseError, match="no version of the model 'vitrine' was in service"):
        rollback("vitrine", "")
