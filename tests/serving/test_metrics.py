"""What is counted is shown, the sum of all workers, whoever dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from vitrine.core.errors import ServiceError
from vitrine.serving import counting
from vitrine.serving.counting import FOLDER, share_folder
from vitrine.serving.metrics import Metrics

WORKER = """
import sys
from vitrine.serving.metrics import Metrics

metrics = Metrics()
metrics.model("7", "abc")
metrics.waiting(3)
metrics.batch(2)
metrics.request("/classify", 200, 0.01)
metrics.predicted("style", "vintage", 0.93, False)
while True:
    print(flush=True)
    match sys.stdin.readline().strip():
        case "render":
            sys.stdout.write(metrics.render().decode() + "END")
        case "change":
            metrics.model("8", "def")
"""

SERVER = """
import os, sys
from pathlib import Path
from vitrine.serving import counting

counting.MEMORY = Path(sys.argv[1])
counting.share_folder()
print(os.environ[counting.FOLDER], flush=True)
sys.stdin.readline()
"""

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"vitrine_{name}", frozenset(labels.items())))


class Worker:
    """A process that counts one request, then does as it is told."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env={**os.environ, FOLDER: str(folder), "PROMETHEUS_MULTIPROC_DIR": "/nowhere"},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._stdout = self._process.stdout
        self._line()

    def _line(self) -> str:
        assert self._stdout is not None
        return self._stdout.readline()

    def _tell(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def change(self) -> None:
        self._tell("change")
        self._line()

    def render(self) -> Samples:
        self._tell("render")
        lines = []
        while not lines or not lines[-1].startswith("END"):
            lines.append(self._line())
        return parsed("".join(lines[:-1]))

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Worker]]:
    """The function that starts a worker of a server."""
    workers = []

    def begin() -> Worker:
        workers.append(Worker(tmp_path))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.kill()


def test_each_thing_is_counted_under_its_name() -> None:
    metrics = Metrics()
    metrics.request("/classify", 200, 0.03)
    metrics.request("/classify", 422, 0.03)
    metrics.batch(3)
    metrics.decoded(0.004)
    metrics.inferred(0.015)
    metrics.predicted("style", "vintage", 0.93, False)
    metrics.predicted("style", "vintage", 0.41, True)
    metrics.refused("bad_image")
    metrics.waiting(5)
    metrics.log_dropped(2)
    shown = parsed(metrics.render().decode())
    assert value(shown, "requests_total", route="/classify", status="422") == 1
    assert value(shown, "request_seconds_count", route="/classify") == 2
    assert value(shown, "request_seconds_bucket", route="/classify", le="0.035") == 2
    assert value(shown, "request_seconds_bucket", route="/classify", le="0.02") == 0
    assert value(shown, "batch_images_sum") == 3
    assert value(shown, "decode_seconds_sum") == 0.004
    assert value(shown, "inference_seconds_sum") == 0.015
    assert value(shown, "predictions_total", head="style", label="vintage", unsure="true") == 1
    assert value(shown, "confidence_bucket", head="style", le="0.5") == 1
    assert value(shown, "refusals_total", reason="bad_image") == 1
    assert value(shown, "refusals_total", reason="overload") == 0
    assert value(shown, "waiting_images") == 5
    assert value(shown, "log_dropped_total") == 2


def test_two_services_of_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.batch(4)
    assert value(parsed(other.render().decode()), "batch_images_count") == 0


def test_a_model_takes_the_place_of_another() -> None:
    metrics = Metrics()
    for version in ("7", "8", "8"):
        metrics.model(version, "abc")
    shown = parsed(metrics.render().decode())
    assert value(shown, "model_info", version="7", bundle_digest="abc") == 0
    assert value(shown, "model_info", version="8", bundle_digest="abc") == 1


def test_any_worker_tells_the_sum(start: Callable[[], Worker]) -> None:
    one, other = start(), start()
    other.change()
    shown = one.render()
    assert shown == other.render()
    assert value(shown, "requests_total", route="/classify", status="200") == 2
    assert value(shown, "request_seconds_count", route="/classify") == 2
    assert value(shown, "batch_images_sum") == 4
    assert value(shown, "waiting_images") == 6
    assert value(shown, "model_info", version="7", bundle_digest="abc") == 1
    assert value(shown, "model_info", version="8", bundle_digest="def") == 1


def test_a_dead_worker_leaves_its_counts_and_nothing_else(
    start: Callable[[], Worker], tmp_path: Path
) -> None:
    one, other = start(), start()
    files = set(tmp_path.iterdir())
    other.kill()
    shown = one.render()
    assert value(shown, "requests_total", route="/classify", status="200") == 2
    assert value(shown, "waiting_images") == 3
    assert value(shown, "model_info", version="7", bundle_digest="abc") == 1

    # Whatever number of workers die: no file is added, and nothing is counted twice.
    for requests in (3, 4, 5):
        other = start()
        shown = one.render()
        assert value(shown, "requests_total", route="/classify", status="200") == requests
        assert value(shown, "waiting_images") == 6
        assert set(tmp_path.iterdir()) == files
        other.kill()


def test_a_server_s_folder_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MEMORY", tmp_path)
    folders = []
    servers = []
    for _ in range(3):
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(tmp_path)],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert server.stdout is not None
        servers.append(server)
        folders.append(Path(server.stdout.readline().strip()))
    ends, is_killed, _ = servers
    ends.communicate("\n")
    assert not folders[0].exists()
    is_killed.send_signal(signal.SIGKILL)
    is_killed.communicate()
    assert folders[1].exists()

    environment: dict[str, str] = {}
    share_folder(environment)
    assert set(tmp_path.iterdir()) == {folders[2], Path(environment[FOLDER])}
    servers[2].communicate("\n")


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(ServiceError, match=r"metrics cannot be kept in .*gone.*; make room"):
        counting.join_folder(gone)
    with pytest.raises(ServiceError, match=r"folder .*gone is gone; start the server anew"):
        counting.read_folder(gone)


def test_no_folder_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(counting.tempfile, "mkdtemp", full)
    with pytest.raises(ServiceError, match=r"no folder for the metrics can be made in .*No space"):
        share_folder({})
