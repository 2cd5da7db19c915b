"""Metrics and the prediction log of two real workers, one of which is killed."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from clones import Clone, make_clone
from served import encoded, pin, post, served, store
from vitrine.serving.counting import FOLDER
from vitrine.serving.prediction_log import read_log

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TAG = "vitrine:v1-0123abcd"


@pytest.fixture
def clone(tmp_path: Path, tiny_bundle: Path) -> Clone:
    """A clone with a packaged model, for two workers with a log."""
    clone = make_clone(tmp_path)
    store(clone, TAG, tiny_bundle, "1")
    pin(clone.path, TAG)
    clone.env["VITRINE_SERVING_WORKERS"] = "2"
    clone.env["VITRINE_SERVING_LOG"] = str(tmp_path / "log")
    clone.env["VITRINE_SERVING_LOG_EMBEDDINGS"] = "true"
    return clone


@pytest.fixture
def connect() -> Iterator[Callable[[httpx.URL], dict[int, httpx.Client]]]:
    """The function that gives clients by the process id of the one worker each is connected to."""
    clients = []

    def both(url: httpx.URL) -> dict[int, httpx.Client]:
        found: dict[int, httpx.Client] = {}
        deadline = time.monotonic() + 60
        while len(found) < 2:
            assert time.monotonic() < deadline
            clients.append(httpx.Client(base_url=url, timeout=30))
            found.setdefault(clients[-1].get("/model").json()["worker"], clients[-1])
        return found

    yield both
    for client in clients:
        client.close()


def shown(client: httpx.Client) -> dict[str, float]:
    """What `/metrics` says, by name and values of the labels as one text; and sums over labels."""
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            found[" ".join([sample.name, *sample.labels.values()])] = sample.value
            found[f"sum of {sample.name}"] = found.get(f"sum of {sample.name}", 0) + sample.value
    return found


def test_each_worker_tells_the_sum_whoever_dies(
    clone: Clone, connect: Callable[[httpx.URL], dict[int, httpx.Client]], tmp_path: Path
) -> None:
    answered = "vitrine_requests_total /classify 200"
    entries = tmp_path / "log"
    with served(folder=clone.path, env=clone.env) as (client, log):
        workers = connect(client.base_url)
        for number in range(5):
            for worker in workers.values():
                assert post(worker, encoded("JPEG", number)).status_code == 200
        assert post(client, b"text").status_code == 422
        for worker in workers.values():
            now = shown(worker)
            assert now[answered] == now["vitrine_decode_seconds_count"] == 10
            assert now["vitrine_requests_total /classify 422"] == 1
            assert now["vitrine_refusals_total bad_image"] == 1
            assert now["vitrine_waiting_images"] == 0
            assert now["sum of vitrine_model_info"] == 2
            assert now["sum of vitrine_predictions_total"] == 20

        _wait_for_lines(entries, 10)
        killed, left = workers
        folder = _folder_of(left)
        files = set(folder.iterdir())
        os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while (now := shown(workers[left]))["sum of vitrine_model_info"] == 2:
            assert time.monotonic() < deadline
        assert (now[answered], now["sum of vitrine_model_info"]) == (10, 1)

        again = connect(client.base_url)
        assert killed not in again
        for worker in again.values():
            assert post(worker, encoded("PNG")).status_code == 200
        for worker in again.values():
            now = shown(worker)
            assert (now[answered], now["sum of vitrine_model_info"]) == (12, 2)
        assert set(folder.iterdir()) == files
        assert "Traceback" not in log.read_text()
    assert not folder.exists()
    _check_log(entries, 12)


def _wait_for_lines(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 10
    while sum(path.read_bytes().count(b"\n") for path in folder.glob("*.jsonl")) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _folder_of(worker: int) -> Path:
    variables = Path(f"/proc/{worker}/environ").read_bytes().decode().split("\0")
    return Path(dict(line.split("=", 1) for line in variables if line)[FOLDER])


def _check_log(folder: Path, count: int) -> None:
    entries = list(read_log(folder))
    assert len(entries) == count
    assert len(list(folder.glob("*.jsonl"))) == 2
    assert len({entry["request_id"] for entry in entries}) == count
    for entry in entries:
        assert entry["version"] == "1"
        assert entry["style"].keys() == {"label", "probability", "unsure"}
        assert (entry["width"], entry["height"]) == (300, 400)
        assert 0 < entry["brightness"] < 255
        assert entry["embedding"].ndim == 1
        assert time.time() - 600 < entry["time"] <= time.time()
        assert "image" not in entry
