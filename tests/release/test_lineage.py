"""Every link is walked, and a broken one is named."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from vitrine import tracking
from vitrine.bundle.format import load_info
from vitrine.cli.lineage import command
from vitrine.core.errors import ReleaseError
from vitrine.release.lineage import Lineage, Link, lineage

Register = Callable[..., str]

pytestmark = pytest.mark.filterwarnings(
    "ignore:GitWildMatchPattern:DeprecationWarning"  # bentoml 1.4.39
)


def states(name: str, what: str) -> dict[str, str]:
    return {link.name: link.state for link in lineage(name, what).links}


def test_all_that_the_registry_knows_holds(
    register: Register, name: str, tiny_bundle: Path
) -> None:
    number = register()
    digest = load_info(tiny_bundle).digest
    for what in (number, "champion", digest, digest[:8]):
        assert states(name, what) == {
            "version → bundle": "holds",
            "version → run": "holds",
            "version → verdict": "holds",
            "version → data": "holds",
            "version → params": "holds",
            "version → commit": "holds",
            "commit → data.dvc": "unknown",
            "data → rows": "unknown",
        }
    said = lineage(name, number).describe().splitlines()
    assert said[0] == f"{name} version {number}"
    assert re.fullmatch(r"  ✓ version → bundle +every file of [0-9a-f]{12} as described", said[1])
    assert any(line.startswith("  ? data → rows") for line in said)


@pytest.mark.parametrize("tag", ["data_digest", "params_digest", "git_commit"])
def test_a_tag_that_was_changed_breaks_its_link(register: Register, name: str, tag: str) -> None:
    number = register()
    tracking.set_version_tags(name, number, {tag: "other"})
    (broken,) = lineage(name, number).broken
    assert broken.text.startswith("the version's tag says other, its bundle ")


def test_a_run_that_is_gone(register: Register, name: str, stores: Path) -> None:
    number = register()
    version = tracking.find_version(name, number)
    assert version is not None
    MlflowClient(f"sqlite:///{stores / 'mlflow.db'}").delete_run(version.run_id)
    broken = {link.name: link.text for link in lineage(name, number).broken}
    assert broken["version → run"] == f"MLflow has no run {version.run_id}"


def test_a_gate_that_somebody_turned_to_passed(register: Register, name: str) -> None:
    number = register(gate="failed")
    tracking.set_version_tags(name, number, {"gate": "passed"})
    (broken,) = lineage(name, number).broken
    assert broken.name == "version → verdict"
    assert broken.text.startswith("the tag gate is passed, the run's verdict failed for ")


def test_a_bundle_of_another_run(register: Register, name: str, stores: Path) -> None:
    number = register()
    version = tracking.find_version(name, number)
    assert version is not None
    client = MlflowClient(f"sqlite:///{stores / 'mlflow.db'}")
    client.set_tag(version.run_id, "data_digest", "other.dir")
    broken = {link.name: link.text for link in lineage(name, number).broken}
    assert "was trained on the data other.dir, its bundle names" in broken["version → run"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("77", "has no version 77 in MLflow"),
        ("canary", "has no version with the alias 'canary' in MLflow"),
        ("0123456789", "no version of the model .* has the bundle 0123456789"),
        ("vitrine-api:v9-x", "BentoML's store has no model for vitrine-api:v9-x: "),
        ("vitrine:v9-x", "BentoML's store has no model for vitrine:v9-x: "),
    ],
)
def test_nothing_of_that_name(register: Register, name: str, what: str, words: str) -> None:
    register()
    with pytest.raises(ReleaseError, match=words):
        lineage(name, what)


def test_the_command_fails_on_a_broken_link(monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    from clones import ROOT
    from vitrine.release import lineage as module

    monkeypatch.chdir(ROOT)
    version = tracking.Version("vitrine", "7", "run", {}, ())
    links = (Link("version → bundle", "holds", "x"), Link("version → run", "broken", "gone"))
    monkeypatch.setattr(module, "lineage", lambda *_: Lineage(version, links))
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, ["7", "--json"])
    assert isinstance(result.exception, ReleaseError)
    assert str(result.exception) == "the lineage is broken at version → run: see the lines with ✗"
    assert json.loads(result.output)["links"][1]["state"] == "broken"
