"""The prediction log: written aside, rotated, read back, and never in the way."""

import json
import logging
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from vitrine.core.errors import DataError, ServiceError
from vitrine.serving import prediction_log
from vitrine.serving.log_files import LogFiles
from vitrine.serving.metrics import Metrics
from vitrine.serving.prediction_log import PredictionLog, check_log, read_log
from vitrine.serving.settings import Settings

FULL_DISK = """
import logging, os, sys, time
from pathlib import Path
from vitrine.serving import prediction_log
from vitrine.serving.metrics import Metrics
from vitrine.serving.prediction_log import PredictionLog, read_log
from vitrine.serving.settings import Settings

prediction_log.QUIET_SECONDS = 0.5
logging.basicConfig(format="%(message)s", level=logging.INFO)
disk = Path(sys.argv[1])
log = PredictionLog(Settings(log=str(disk), log_megabytes=1), Metrics())
longest = 0.0
for number in range(60):
    if number == 50:
        time.sleep(1)
        (disk / "ballast").unlink()
    start = time.perf_counter()
    log.write({"number": number, "image": bytes(6000)})
    longest = max(longest, time.perf_counter() - start)
log.close()
kept = [entry["number"] for entry in read_log(disk)]
lost = log._metrics.render().decode().split("\\nvitrine_log_dropped_total ")[1][:4]
print(kept, longest < 0.1, lost)
"""


def dropped(metrics: Metrics) -> float:
    (line,) = [
        line
        for line in metrics.render().decode().splitlines()
        if line.startswith("vitrine_log_dropped_total ")
    ]
    return float(line.split()[1])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.jsonl"))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    log = PredictionLog(Settings(log=str(tmp_path / "new" / "log")), Metrics())
    entry = {"request_id": "a", "style": {"label": "复古", "probability": 0.5, "unsure": True}}
    embedding = np.array([0.25, 2], np.float32)
    log.write(entry)
    log.write({"embedding": embedding, "image": b"\x00\xff"})
    log.close()
    first, second = read_log(tmp_path / "new" / "log")
    assert first == entry
    assert second["embedding"].dtype == np.float32
    assert second["embedding"].tolist() == [0.25, 2.0]
    assert second["image"] == b"\x00\xff"


def test_entries_are_in_the_file_soon_without_closing(tmp_path: Path) -> None:
    log = PredictionLog(Settings(log=str(tmp_path)), Metrics())
    for number in range(3):
        log.write({"number": number})
        deadline = time.monotonic() + 10
        while not names(tmp_path) or len(list(read_log(tmp_path))) <= number:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    log.close()
    assert [entry["number"] for entry in read_log(tmp_path)] == [0, 1, 2]


def test_without_a_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    metrics = Metrics()
    log = PredictionLog(Settings(), metrics)
    assert not log.wants()
    log.write({"number": 1})
    log.close()
    assert list(tmp_path.iterdir()) == []
    assert dropped(metrics) == 0


def test_a_share_is_kept(tmp_path: Path) -> None:
    log = PredictionLog(Settings(log=str(tmp_path), log_share=0.25), Metrics())
    for number in range(1600):
        if log.wants():
            log.write({"number": number})
    log.close()
    # Five standard deviations of a binomial about 400.
    assert 313 < len(list(read_log(tmp_path))) < 487


def test_what_waits_is_bounded_in_number_and_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_log, "MAX_WAITING", 3)
    monkeypatch.setattr(prediction_log, "MAX_WAITING_BYTES", 1000)
    metrics = Metrics()
    log = PredictionLog(Settings(log=str(tmp_path)), metrics)
    for number, size in enumerate((600, 600, 400, 0, 0)):
        log.write({"number": number, "image": bytes(size)})
    log.close()
    assert [entry["number"] for entry in read_log(tmp_path)] == [0, 2, 3]
    assert dropped(metrics) == 2


def test_an_entry_that_is_no_json_loses_itself_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    log = PredictionLog(Settings(log=str(tmp_path)), metrics)
    log.write({"number": object()})
    log.write({"number": 2})
    log.close()
    assert list(read_log(tmp_path)) == [{"number": 2}]
    assert dropped(metrics) == 1
    assert "a fault of Vitrine's own in the prediction log" in caplog.text


@pytest.mark.parametrize(("quiet", "said"), [(0.0, 1), (60.0, 0)])
def test_a_loss_is_said_once_and_so_is_its_end_after_a_while(
    quiet: float,
    said: int,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prediction_log, "QUIET_SECONDS", quiet)
    caplog.set_level(logging.INFO)
    metrics = Metrics()
    folder = tmp_path / "log"
    folder.write_text("in the way")
    log = PredictionLog(Settings(log=str(folder)), metrics)
    for number in range(3):
        log.write({"number": number})
    deadline = time.monotonic() + 10
    while dropped(metrics) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    folder.unlink()
    for number in (3, 4):
        log.write({"number": number})
    log.close()
    assert [entry["number"] for entry in read_log(folder)] == [3, 4]
    assert caplog.text.count("entries of the prediction log are being lost: ") == 1
    assert caplog.text.count("the prediction log is written again") == said


def test_a_full_disk_costs_entries_but_no_time_and_ends_by_itself(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("a small file system cannot be mounted here (unshare is needed)")
    # Room for three entries of 8 kB at first, for all the later ones then.
    script = (
        f"mount -t tmpfs -o size=256k tmpfs {tmp_path} && "
        f"head -c 228k /dev/zero > {tmp_path}/ballast && exec {sys.executable} - {tmp_path}"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        input=FULL_DISK,
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount:" in done.stderr:
        pytest.skip("a small file system cannot be mounted here")
    assert done.stdout == f"{[0, 1, 2, *range(50, 60)]} True 47.0\n", done.stderr
    lost, again = done.stderr.splitlines()
    assert lost.startswith("entries of the prediction log are being lost: ")
    assert again == "the prediction log is written again"


def test_files_follow_each_other_and_the_oldest_go(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, max_bytes=100, keep=3)
    for number in range(10):
        files.append(json.dumps({"number": number, "text": "x" * 20}))
    assert names(tmp_path) == [f"predictions-0-{number:08}.jsonl" for number in (3, 4, 5)]
    assert all(path.stat().st_size <= 100 for path in tmp_path.glob("*.jsonl"))
    assert [entry["number"] for entry in read_log(tmp_path)] == [4, 5, 6, 7, 8, 9]
    files.append(json.dumps({"number": 10, "text": "x" * 200}))
    assert [entry["number"] for entry in read_log(tmp_path)] == [6, 7, 8, 9, 10]
    files.close()


def test_each_worker_has_files_of_its_own_and_its_successor_goes_on_with_them(
    tmp_path: Path,
) -> None:
    one, other = (LogFiles(tmp_path, max_bytes=1000, keep=2) for _ in range(2))
    one.append('{"number": 1}')
    other.append('{"number": 2}')
    assert names(tmp_path) == ["predictions-0-00000001.jsonl", "predictions-1-00000001.jsonl"]
    one.close()
    successor = LogFiles(tmp_path, max_bytes=1000, keep=2)
    successor.append('{"number": 3}')
    assert len(names(tmp_path)) == 2
    assert [entry["number"] for entry in read_log(tmp_path)] == [1, 3, 2]
    other.close()
    successor.close()


def test_the_half_line_of_a_killed_worker_is_left_out_and_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "predictions-0-00000001.jsonl"
    path.write_text('{"number": 1}\n{"number": 2, "te')
    assert list(read_log(tmp_path)) == [{"number": 1}]
    files = LogFiles(tmp_path, max_bytes=1000, keep=2)
    files.append('{"number": 3}')
    files.close()
    assert path.read_text() == '{"number": 1}\n{"number": 3}\n'


@pytest.mark.parametrize("whole_folder", [False, True])
def test_files_that_somebody_deleted_come_back(tmp_path: Path, whole_folder: bool) -> None:
    folder = tmp_path / "log"
    one, other = (LogFiles(folder, max_bytes=1000, keep=2) for _ in range(2))
    for files in (one, other):
        files.append('{"number": 1}')
    if whole_folder:
        shutil.rmtree(folder)
    else:
        for path in folder.glob("*.jsonl"):
            path.unlink()
    for files in (other, one):
        files.append('{"number": 2}')
    assert list(read_log(folder)) == [{"number": 2}] * 2
    assert len(names(folder)) == 2
    one.close()
    other.close()


@pytest.mark.parametrize("line", ["\x00\x00", '{"image": 1}', '{"embedding": "AAA="}', "3", "[1]"])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "predictions-0-00000001.jsonl").write_text(f'{{"number": 1}}\n{line}\n{{}}\n')
    with pytest.raises(DataError, match=r"predictions-0-00000001\.jsonl line 2 is damaged: .*del"):
        list(read_log(tmp_path))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "predictions-0-00000001.jsonl").mkdir()
    with pytest.raises(DataError, match=r"predictions-0-00000001\.jsonl cannot be read: Is a dir"):
        next(read_log(tmp_path))


def test_a_folder_without_a_log_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no predictions-\*\.jsonl; name the folder of"):
        next(read_log(tmp_path / "nowhere"))


def test_a_log_that_can_be_kept_is_allowed(tmp_path: Path) -> None:
    check_log(Settings())
    check_log(Settings(log=str(tmp_path / "new")))
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("folder", ["/proc/vitrine", "/proc/self/net", "/dev/null"])
def test_a_log_that_cannot_be_kept_is_refused_before_anything_is_served(folder: str) -> None:
    with pytest.raises(ServiceError, match=rf"no prediction log can be kept in {folder}: .*; corr"):
        check_log(Settings(log=folder))
