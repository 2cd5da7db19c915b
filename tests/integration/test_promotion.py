"""From a click in the MLflow UI to answers of the running service, and all that may go wrong."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from mlflow import MlflowClient

import registering
from browser import chromium_page, promote_in_ui
from clones import Clone, make_clone
from served import encoded, knocking, post, served
from servers import WEBHOOKS, MlflowServer, free_port, mlflow_server
from vitrine import tracking
from vitrine.core.pin import pinned_tag

pytestmark = [pytest.mark.integration, pytest.mark.slow]

RATE = 20
"""Requests a second."""
PICTURE = encoded("JPEG")


@dataclass
class Team:
    """A clone and the MLflow server that it works with.

    Versions: 1 and 2 passed the gate, 3 did not.
    """

    clone: Clone
    server: MlflowServer
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> MlflowClient:
        """MLflow's own client."""
        return MlflowClient(self.server.address, self.server.address)

    def champion(self) -> str:
        """Return the number of the champion."""
        return str(self.client.get_model_version_by_alias("vitrine", "champion").version)


@pytest.fixture(scope="module")
def team(
    make_bundle: Callable[[Path, int], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("promotion")
    with mlflow_server(folder, env=WEBHOOKS) as server:
        clone = make_clone(folder)
        clone.env |= {
            "MLFLOW_TRACKING_URI": server.address,
            "VITRINE_WEBHOOK_SECRET": "a secret of the tests",
            "VITRINE_SERVING_WORKERS": "2",
        }
        team = Team(clone, server)
        for seed, gate in ((1, "passed"), (2, "passed"), (3, "failed")):
            bundle = make_bundle(folder / f"bundle{seed}", seed)
            with clone.entered():
                number = registering.register(bundle, "vitrine", gate=gate, alias="challenger")
            tags = team.client.get_model_version("vitrine", number).tags
            team.digests[number] = tags["bundle_digest"]
        clone.run("vitrine", "promote", "1", "--reason", "the first")
        clone.run("vitrine", "package")
        yield team


@contextmanager
def watching(team: Team, *options: str) -> Iterator[Path]:
    """Run `vitrine watch` until the block ends, which it must do cleanly; give its output's file."""
    log = team.clone.path / "watch.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["vitrine", "watch", *options],
            cwd=team.clone.path,
            env=team.clone.env | {"PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        said_in(log, "is in service")
        yield log
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, log.read_text()
        assert log.read_text().endswith("stopped\n")
    finally:
        process.kill()
        process.wait()


def said_in(log: Path, words: str, seconds: float = 120) -> None:
    """Wait until a file holds some words."""
    deadline = time.monotonic() + seconds
    while words not in log.read_text():
        assert time.monotonic() < deadline, f"{words!r} is not in:\n{log.read_text()}"
        time.sleep(0.1)


def customers(url: str) -> AbstractContextManager[list["Future[tuple[float, int, str]]"]]:
    """Send `RATE` requests a second until the block ends: when, status and version of each."""

    def ask(_: int) -> tuple[float, int, str]:
        with httpx.Client(base_url=url, timeout=30) as client:
            response = post(client, PICTURE)
        return time.monotonic(), response.status_code, response.headers["X-Model-Version"]

    return knocking(ask, RATE)


def until_version(service: httpx.Client, number: str) -> None:
    deadline = time.monotonic() + 120
    while service.get("/model").json()["version"] != number:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_click_in_the_ui_reaches_the_customers(
    team: Team, record_property: Callable[[str, object], None]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with (
        served(folder=team.clone.path, env=team.clone.env) as (service, _),
        chromium_page(allow=team.server.address) as visit,
    ):
        address = str(service.base_url)
        with (
            watching(team, "--every", "60", "--webhook", url, "--service", address) as log,
            customers(address) as asked,
        ):
            time.sleep(2)
            promote_in_ui(visit.page, team.server.address, "vitrine", "2")
            clicked = time.monotonic()
            said_in(log, "version 2 is in service now")
            time.sleep(2)
            promote_in_ui(visit.page, team.server.address, "vitrine", "3")
            said_in(log, "the alias champion went back to version 2")
        answers = [answer.result() for answer in asked]
    assert {status for _, status, _ in answers} == {200}
    assert {version for _, _, version in answers} == {"1", "2"}
    old = [when for when, _, version in answers if version == "1"]
    assert answers[-1][2] == "2"
    record_property("seconds", max(old) - clicked)
    record_property("requests", len(answers))
    assert "refused: version 3 of the model 'vitrine' did not pass the gate" in log.read_text()
    assert team.champion() == "2"
    refused = team.client.get_model_version("vitrine", "3").tags["release"]
    assert refused.startswith("refused ")

    history = json.loads(team.clone.run("vitrine", "history", "--json"))
    assert history["in_service"] == "2"
    steps = [(entry["version"], entry["outcome"]) for entry in history["releases"]]
    assert steps == [("1", "accepted"), ("2", "accepted"), ("3", "refused")]
    assert history["releases"][0]["why"] == "the first"
    assert history["releases"][1]["by"].startswith("unknown (MLflow does not say")


def test_every_link_is_walked_from_each_end(team: Team) -> None:
    history = json.loads(team.clone.run("vitrine", "history", "--json"))
    accepted = next(entry for entry in history["releases"] if entry["version"] == "1")
    for what in ("1", accepted["bento"], f"vitrine:v1-{team.digests['1'][:8]}", team.digests["1"]):
        said = team.clone.run("vitrine", "lineage", what)
        assert said.startswith("vitrine version 1\n")
        assert "✗" not in said
        assert "✓ version → bundle" in said
        assert "✓ data → rows" in said
    team.client.set_model_version_tag("vitrine", "1", "data_digest", "another.dir")
    said = team.clone.run("vitrine", "lineage", accepted["bento"], status=1)
    assert "✗ version → data" in said
    assert "error: the lineage is broken at version → data, data → rows: see the lines" in said
    tag = accepted["data_digest"]
    team.client.set_model_version_tag("vitrine", "1", "data_digest", tag)


def test_rolling_back_and_a_server_that_comes_and_goes(team: Team) -> None:
    with (
        served(folder=team.clone.path, env=team.clone.env) as (service, _),
        watching(team, "--every", "0.5") as log,
    ):
        team.server.stop()
        said_in(log, "cannot be used: connection refused")
        assert post(service, PICTURE).status_code == 200
        team.server.start()
        said = team.clone.run("vitrine", "rollback", "--reason", "complaints")
        assert "vitrine version 1 is the champion now instead of version 2." in said
        until_version(service, "1")
    table = team.clone.run("vitrine", "history")
    assert "rolled back" in table
    assert "complaints" in table
    assert "In service: version 1" in table


@pytest.mark.parametrize("seconds", [2.0, 4.0, 5.5])
def test_a_kill_in_the_middle_leaves_no_half_and_is_finished_next_time(
    team: Team, seconds: float, make_bundle: Callable[[Path, int], Path], tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "bundle", 100 + int(10 * seconds))
    with team.clone.entered():
        number = registering.register(bundle, "vitrine", gate="passed", alias="champion")
        before = len(tracking.releases("vitrine"))
    pinned = pinned_tag(team.clone.path / "bentofile.yaml")
    process = subprocess.Popen(
        ["vitrine", "package"],
        cwd=team.clone.path,
        env=team.clone.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    tag = pinned_tag(team.clone.path / "bentofile.yaml")
    assert tag == pinned or str(tag).startswith(f"vitrine:v{number}-")
    team.clone.run("vitrine", "package")
    assert str(pinned_tag(team.clone.path / "bentofile.yaml")).startswith(f"vitrine:v{number}-")
    with team.clone.entered():
        (release,) = tracking.releases("vitrine")[before:]
    assert release.version == number
    assert team.clone.run("bentoml", "models", "list").count(f"vitrine:v{number}-") == 1
    with served(release.bento, folder=tmp_path, env=team.clone.env) as (service, _):
        assert service.get("/model").json()["version"] == number
