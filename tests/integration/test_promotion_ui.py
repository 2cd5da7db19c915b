"""Promotion as a person does it: a real browser clicks in the UI of a real MLflow server."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from browser import chromium_page, promote_in_ui
from servers import WEBHOOKS, free_port, mlflow_server
from vitrine import tracking
from vitrine.release.webhook import receiver

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SECRET = "schlüssel of the tests"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server that sends webhooks to this machine."""
    with mlflow_server(tmp_path_factory.mktemp("server"), env=WEBHOOKS) as running:
        yield running.address


@pytest.fixture
def client(server: str, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    """MLflow's own client; the model `vitrine` has two versions, the first is the challenger."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    client = MlflowClient(server, server)
    client.create_registered_model("vitrine")
    run = client.create_run("0")
    for _ in range(2):
        client.create_model_version("vitrine", run.info.artifact_uri, run.info.run_id)
    client.set_registered_model_alias("vitrine", "challenger", "1")
    yield client
    client.delete_registered_model("vitrine")


def test_clicks_make_a_version_the_champion(client: MlflowClient, server: str) -> None:
    with chromium_page(allow=server) as visit:
        for number in ("1", "2"):
            promote_in_ui(visit.page, server, "vitrine", number)
            champion = tracking.version_of_alias("vitrine", "champion")
            assert champion is not None
            assert champion.number == number
        assert not visit.refused
    aliases = client.get_registered_model("vitrine").aliases
    assert aliases == {"challenger": "1", "champion": "2"}


def test_a_click_wakes_whoever_holds_the_secret(client: MlflowClient, server: str) -> None:
    right, wrong = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    wake, other = threading.Event(), threading.Event()
    with (
        receiver(right, SECRET, wake),
        receiver(wrong, "another secret", other),
        chromium_page(allow=server) as visit,
    ):
        for _ in range(2):
            assert tracking.ensure_webhook(right, SECRET) == ""
            assert tracking.ensure_webhook(wrong, SECRET) == "it answered 401"
        assert sorted(hook.url for hook in client.list_webhooks()) == sorted((right, wrong))
        wake.clear()
        promote_in_ui(visit.page, server, "vitrine", "2")
        assert wake.wait(5)
        wake.clear()
        client.delete_registered_model_alias("vitrine", "champion")
        assert wake.wait(5)
    assert not other.is_set()
