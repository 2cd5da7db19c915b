"""Several processes, as on several machines, work on one search; one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from clones import ROOT
from servers import postgres
from vitrine.training.storage import STORAGE

TRIALS = 6
WORKER = """
import json, os, sys, time
from pathlib import Path
from vitrine.core.params import Params, override
from vitrine.training.search import searching
from vitrine.training.storage import locate

def measure(number, values, report):
    print(json.dumps([number, values]), flush=True)
    if number == 3:
        try:
            Path("hangs").symlink_to(str(os.getpid()))
            time.sleep(600)
        except FileExistsError:
            pass
    report(1, values["learning_rate"])
    return values["learning_rate"]

params = Params.load(Path(sys.argv[1]))
tune = override(params.tune, {"trials": int(sys.argv[2])})
with searching(locate("local", Path(), "study"), tune, params.train) as search:
    search.run(measure, lambda attempt: None)
    print(json.dumps({"scores": search.scores()}))
"""
SILENT = (
    "UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00' WHERE trial_id IN "
    "(SELECT trial_id FROM trials WHERE state = 'RUNNING')"
)
"""Makes as if the workers had been silent for long."""


@contextmanager
def _storage(kind: str, folder: Path) -> Iterator[str]:
    if kind == "PostgreSQL":
        with postgres() as url:
            yield url
    else:
        yield f"sqlite:///{folder}/study.db"


def _start(url: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WORKER, str(ROOT / "params.yaml"), str(TRIALS)]
    env = os.environ | {STORAGE: url}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def _said(worker: "subprocess.Popen[str]") -> list[Any]:
    said, _ = worker.communicate(timeout=60)
    return [json.loads(line) for line in said.splitlines()]


def _wait_for_hung(folder: Path) -> int:
    deadline = time.monotonic() + 60
    while not (folder / "hangs").is_symlink():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int((folder / "hangs").readlink().name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PostgreSQL", "SQLite"])
def test_a_killed_workers_trial_is_tried_again_and_there_is_none_too_many(
    kind: str, workplace: Path
) -> None:
    with _storage(kind, workplace) as url:
        workers = {worker.pid: worker for worker in (_start(url), _start(url))}
        hung = workers.pop(_wait_for_hung(workplace))
        hung.send_signal(signal.SIGKILL)
        begun = _said(hung)
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(SILENT))
        engine.dispose()
        *ended, result = [line for worker in workers.values() for line in _said(worker)]

        assert [worker.returncode for worker in workers.values()] == [0]
        tried = begun + ended
        assert sorted(number for number, _ in tried) == [1, 2, 3, 3, 4, 5, 6]
        first, again = (values for number, values in tried if number == 3)
        assert first == again
        own = next(values for number, values in tried if number == 1)["learning_rate"]
        best = max(values["learning_rate"] for _, values in tried)
        assert result == {"scores": [own, best]}
        assert _said(_start(url)) == [result], "who comes late ends with the same"
