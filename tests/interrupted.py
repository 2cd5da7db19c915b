"""Stages in processes of their own, which can be killed."""

import os
import signal
import subprocess
import sys

import pytest

from clones import ROOT


def start(stage: str) -> "subprocess.Popen[str]":
    """Start a stage in the working directory, with its params.yaml."""
    return subprocess.Popen(
        [sys.executable, "-c", "from vitrine.cli import main; main()", stage],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def kill_after_an_epoch(process: "subprocess.Popen[str]") -> None:
    """Kill a stage as soon as its second epoch is over."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 2/"):
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return
    pytest.fail("it ended before it could be killed")
