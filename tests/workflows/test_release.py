"""A promotion becomes an image, a tag and notes: the workflow's own steps, run in order.

The git remote, MLflow, the packaging and the service are real; `workflows.outside` stands for the
container engine and GitHub.
"""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient

import registering
from clones import ROOT, environment
from servers import mlflow_server
from vitrine.bundle.format import load_info
from workflows.actions import Call
from workflows.outside import DIGEST, Outside
from workflows.runner import Forge, Run, Stop, on_main

pytestmark = [pytest.mark.integration, pytest.mark.slow]

WORKFLOW = ROOT / ".github/workflows/release.yml"
IMAGE = "ghcr.io/team/catalogue/vitrine-api"
PROOF = "Prove it by the golden images"


@dataclass
class Team:
    """A repository on GitHub, and a promoted version in MLflow.

    Attributes:
        forge: What GitHub holds.
        outside: The container engine and the registry.
        address: Of its MLflow server.
        version: The version in the tags of models and images.
        scanned: The images that were scanned.
    """

    forge: Forge
    outside: Outside
    address: str
    version: str
    scanned: list[str]

    @property
    def tag(self) -> str:
        """The git tag of its release."""
        return f"model-{self.version}"

    def release(self, event: str = "repository_dispatch", stop: Stop | None = None) -> Run:
        """Run the workflow."""
        payload = {"action": "model-promoted", "client_payload": {"version": "1"}}
        given = payload if event == "repository_dispatch" else {}
        return self.forge.run(WORKFLOW, on_main(event, self.git("rev-parse", "main"), given), stop)

    def git(self, *arguments: str) -> str:
        """Run git in the remote repository and return what it printed."""
        command = ["git", "-C", str(self.forge.remote), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def said(run: Run, step: str) -> str:
    """Return what a step printed."""
    return run.jobs["release"].step(step).log


@pytest.fixture(scope="module")
def team(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("release")
    remote = folder / "remote.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(remote)], check=True)
    subprocess.run(["git", "-C", str(remote), "branch", "--force", "main", "HEAD"], check=True)
    outside = Outside(folder / "outside")
    scanned: list[str] = []

    def scan(call: Call) -> Mapping[str, str]:
        assert call.inputs["severity-cutoff"] == "critical"
        scanned.append(call.inputs["image"])
        return {}

    with mlflow_server(folder) as server:
        env = environment(folder, ROOT)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLFLOW_TRACKING_URI", server.address)
            patch.chdir(ROOT)
            number = registering.register(tiny_bundle, "vitrine", gate="passed", alias="champion")
            run_id = registering.version("vitrine", number).run_id
        client = MlflowClient(server.address, server.address)
        client.log_text(run_id, "# Model card\n\nIt tells styles apart.\n", "evaluate/card.md")
        forge = Forge(
            folder,
            remote,
            env | outside.env(env["PATH"]),
            variables={"MLFLOW_TRACKING_URI": server.address},
            actions={"anchore/scan-action": scan},
        )
        yield Team(
            forge, outside, server.address, f"v1-{load_info(tiny_bundle).digest[:8]}", scanned
        )


def test_without_a_registry_there_is_nothing_to_release(team: Team) -> None:
    forge = Forge(team.forge.folder / "other", team.forge.remote, team.forge.env)
    run = forge.run(WORKFLOW, on_main("schedule", team.git("rev-parse", "main"), {}))
    assert run.results == {"release": "skipped"}


def test_without_a_champion_there_is_nothing_to_release(team: Team) -> None:
    client = MlflowClient(team.address, team.address)
    client.delete_registered_model_alias("vitrine", "champion")
    run = team.release("schedule")
    client.set_registered_model_alias("vitrine", "champion", "1")
    assert run.results == {"release": "success"}, run.log
    assert "has no version with the alias champion" in said(run, "Package the champion")
    assert team.outside.calls == []


def test_an_image_that_answers_otherwise_is_not_released(team: Team) -> None:
    team.outside.spoil(True)
    run = team.release()
    team.outside.spoil(False)
    assert run.results == {"release": "failure"}
    assert "does not give its golden answers: a probability is off" in said(run, PROOF)
    assert team.outside.pushed == []
    assert team.git("tag", "--list", "model-*") == ""
    assert not [call for call in team.outside.calls if call.startswith("gh ")]


def test_a_promotion_is_released_once_though_a_run_was_cancelled(team: Team) -> None:
    before = team.git("rev-parse", "main")
    image = f"{IMAGE}:{team.version}"
    cancelled = team.release(stop=Stop("Push it", f"digest: {DIGEST}"))
    assert cancelled.results == {"release": "cancelled"}
    assert team.outside.pushed == [image]
    assert team.git("tag", "--list", "model-*") == ""

    run = team.release()
    assert run.results == {"release": "success"}, run.log
    assert team.scanned[-1] == image
    assert team.outside.pushed == [image, image]
    started = [call for call in team.outside.calls if call.startswith("docker run")][-1]
    assert "--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges" in started
    assert "it gives its golden answers in" in said(run, PROOF)
    _check_tag(team, before)
    _check_notes(team)

    calls = len(team.outside.calls)
    again = team.release("schedule")
    assert again.results == {"release": "success"}, again.log
    assert again.jobs["release"].summary == f"{team.tag} is released already.\n"
    assert team.outside.calls[calls:] == [f"gh release view {team.tag}"]
    assert team.git("tag", "--list", "model-*") == team.tag
    assert team.git("rev-parse", "main") == before


def _check_tag(team: Team, main: str) -> None:
    tag = team.tag
    assert team.git("tag", "--list", "model-*") == tag
    assert team.git("rev-parse", "main", f"{tag}^{{commit}}^") == f"{main}\n{main}"
    assert team.git("diff", "--name-only", main, tag) == "bentofile.yaml"
    assert f'tag: "vitrine:{team.version}"' in team.git("show", f"{tag}:bentofile.yaml")
    author = team.git("show", "--no-patch", "--format=%an, %cn", f"{tag}^{{commit}}")
    assert author == "github-actions[bot], github-actions[bot]"


def _check_notes(team: Team) -> None:
    notes = team.outside.notes(team.tag)
    assert notes.startswith(f"Image: `{IMAGE}@{DIGEST}`\n\n|")
    assert "| Version | vitrine 1 |\n| --- | --- |\n| Gate | passed |" in notes
    assert notes.endswith("# Model card\n\nIt tells styles apart.\n")
