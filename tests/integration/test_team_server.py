"""A team's MLflow: PostgreSQL behind it, names and passwords before it, artifacts through it."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg2
import pytest
from mlflow import MlflowClient

import registering
from browser import chromium_page, promote_in_ui
from clones import make_clone
from servers import mlflow_server, postgres
from vitrine import tracking
from vitrine.bundle.format import load_info
from vitrine.core.errors import TrackingError
from vitrine.release.promote import promote

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ADMIN = ("lead", "the lead's own secret")
READER = ("reader", "the reader's own secret")
UNKNOWN = ("reader", "not the reader's secret")
AUTH = """
[mlflow]
default_permission = READ
database_uri = {database}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""
"""The cache spares each request, one a file of a model, some 0.1 s for hashing the password."""
ASKED = (
    "the MLflow tracking store {} cannot be used: it asks for a user name and password: set "
    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
)
DENIED = (
    "MLflow at {} failed: your user there may not do that: ask for the permission EDIT, or for "
    "somebody who has it"
)


@dataclass(frozen=True, slots=True)
class Team:
    """The server of a team: its address, the folder of its artifacts, and the database."""

    address: str
    artifacts: Path
    database: str


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A server that knows two people: the lead may do everything, the reader only look."""
    folder = tmp_path_factory.mktemp("team")
    config = folder / "auth.ini"
    with postgres() as database:
        config.write_text(AUTH.format(database=database), encoding="utf-8")
        env = {
            "MLFLOW_AUTH_CONFIG_PATH": str(config),
            "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN[0],
            "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "for the tests only",
        }
        with mlflow_server(
            folder, backend_store=database, env=env, app_name="basic-auth"
        ) as server:
            made = httpx.post(
                f"{server.address}/api/2.0/mlflow/users/create",
                json=dict(zip(("username", "password"), READER, strict=True)),
                auth=ADMIN,
            )
            assert made.status_code == 200, made.text
            yield Team(server.address, folder / "artifacts", database)


@dataclass(frozen=True, slots=True)
class Login:
    """Says who works from here on."""

    environment: pytest.MonkeyPatch

    def be(self, person: tuple[str, str]) -> None:
        """Be a person: a name and a password."""
        self.environment.setenv("MLFLOW_TRACKING_USERNAME", person[0])
        self.environment.setenv("MLFLOW_TRACKING_PASSWORD", person[1])


@pytest.fixture
def login(team: Team, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Login:
    """Work with the team's server from an empty folder, as nobody yet."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team.address)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD", raising=False)
    return Login(monkeypatch)


def test_nobody_gets_in_without_the_right_password(team: Team, login: Login) -> None:
    with pytest.raises(TrackingError) as nameless:
        tracking.check()
    login.be(UNKNOWN)
    with pytest.raises(TrackingError) as mistaken:
        tracking.check()
    login.be(READER)
    tracking.check()
    assert str(nameless.value) == str(mistaken.value) == ASKED.format(team.address)


def test_a_version_goes_the_whole_way_through_the_server(
    team: Team, login: Login, tiny_bundle: Path
) -> None:
    login.be(ADMIN)
    number = registering.register(tiny_bundle, "whole-way", gate="passed", alias="challenger")
    promoted = promote("whole-way", "challenger", force=False, reason="", kind="promotion")
    assert promoted.number == number
    login.be(READER)
    fetched = tracking.champion_bundle("whole-way")
    assert fetched is not None
    assert load_info(fetched).digest == load_info(tiny_bundle).digest
    assert [*team.artifacts.rglob("golden.npz")], "the artifacts did not go through the server"
    assert not (Path.cwd() / "mlflow.db").exists()
    assert _aliases(team.database, "whole-way") == {"champion": 1, "challenger": 1}


def test_what_is_promoted_goes_into_service_and_into_the_record(
    team: Team, login: Login, tiny_bundle: Path, tmp_path: Path
) -> None:
    login.be(ADMIN)
    clone = make_clone(tmp_path)
    names = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
    clone.env |= {name: os.environ[name] for name in names}
    with clone.entered():
        number = registering.register(tiny_bundle, "vitrine", gate="passed", alias="challenger")
    clone.run("vitrine", "promote", number, "--reason", "为秋季准备" * 900)
    assert f"version {number} is in service now" in clone.run("vitrine", "package")
    history = json.loads(clone.run("vitrine", "history", "--json"))
    (release,) = history["releases"]
    assert (release["outcome"], release["by"], history["in_service"]) == (
        "accepted",
        "lead",
        number,
    )
    assert release["why"].startswith("为秋季准备")
    said = clone.run("vitrine", "lineage", release["bento"])
    assert "✗" not in said
    assert ADMIN[1] not in said


def _aliases(database: str, model: str) -> dict[str, int]:
    plain = database.replace("+psycopg2", "")
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT alias, version FROM registered_model_aliases WHERE name = %s", [model]
        )
        return dict(cursor.fetchall())


def _make_version(address: str, model: str) -> MlflowClient:
    client = MlflowClient(address, address)
    client.create_registered_model(model)
    run = client.create_run("0")
    tags = {"gate": "passed"}
    client.create_model_version(model, run.info.artifact_uri, run.info.run_id, tags)
    return client


def test_who_may_only_read_does_not_promote(team: Team, login: Login) -> None:
    login.be(ADMIN)
    _make_version(team.address, "read-only")
    login.be(READER)
    before = tracking.find_version("read-only", "1")
    with pytest.raises(TrackingError) as denied:
        promote("read-only", "1", force=False, reason="", kind="promotion")
    assert str(denied.value) == DENIED.format(team.address)
    assert tracking.find_version("read-only", "1") == before
    assert tracking.version_of_alias("read-only", "champion") is None


def test_the_lead_promotes_in_the_page_that_asks_for_a_password(team: Team, login: Login) -> None:
    login.be(ADMIN)
    client = _make_version(team.address, "clicked")
    with chromium_page(allow=team.address, login=ADMIN) as visit:
        promote_in_ui(visit.page, team.address, "clicked", "1")
        assert not visit.refused
    assert client.get_model_version_by_alias("clicked", "champion").version == "1"
