"""What the log of a `dvc repro` says."""

import subprocess
import sys
from pathlib import Path

import pytest

from vitrine.retraining.reproduction import Reproduction

DVC = str(Path(sys.executable).parent / "dvc")
PIPELINE = """\
stages:
  first:
    cmd: cp words.txt first.txt
    deps: [words.txt]
    outs: [first.txt]
  second:
    cmd: {second}
    deps: [first.txt]
    outs: [second.txt]
"""
BROKEN = "printf '\\033[31mno such row\\033[0m\\n'; exit 3"


def read(folder: Path, text: str) -> Reproduction | None:
    path = folder / "repro.log"
    path.write_text(text, encoding="utf-8", newline="")
    return Reproduction.read(path)


@pytest.mark.slow
def test_what_dvc_prints_is_understood(tmp_path: Path) -> None:
    def repro(second: str) -> Reproduction | None:
        (tmp_path / "dvc.yaml").write_text(PIPELINE.format(second=second), encoding="utf-8")
        command = f"{DVC} repro --pull --allow-missing 2>&1 | tee repro.log"
        subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True)
        return Reproduction.read(tmp_path / "repro.log")

    for command in ("init --no-scm --quiet", "remote add --default --quiet store store"):
        subprocess.run([DVC, *command.split()], cwd=tmp_path, check=True)
    (tmp_path / "words.txt").write_text("one\n", encoding="utf-8")
    failed = repro(BROKEN)
    assert failed is not None
    assert (failed.ran, failed.failed, failed.ended) == (("first",), "second", False)
    assert failed.said[0] == "Running stage 'second':"
    assert "no such row" in failed.said
    assert failed.said[-1].startswith("ERROR: failed to reproduce 'second'")
    mended = repro("cp first.txt second.txt")
    assert mended is not None
    assert (mended.ran, mended.unchanged, mended.ended) == (("second",), ("first",), True)
    again = repro("cp first.txt second.txt")
    assert again is not None
    assert (again.made, again.unchanged) == ((), ("first", "second"))
    assert again.ended
    for name in ("dvc.lock", "first.txt", "second.txt"):
        (tmp_path / name).unlink()
    restored = repro("cp first.txt second.txt")
    assert restored is not None
    assert (restored.ran, restored.restored) == ((), ("first", "second"))
    assert restored.ended


def test_a_log_that_breaks_off_says_in_which_stage(tmp_path: Path) -> None:
    said = (
        "Running stage 'prepare':\nUpdating lock file 'dvc.lock'\n\nRunning stage 'train':\n> t\n"
    )
    run = read(tmp_path, said)
    assert run is not None
    assert (run.ran, run.begun, run.failed, run.ended) == (("prepare",), "train", None, False)
    assert run.said == ("Running stage 'train':", "> t")


@pytest.mark.parametrize(
    "text",
    ["ERROR: 'dvc.yaml' is invalid.\n", "Running stage 'a':\nUpdating lock file 'dvc.lock'\nERROR: x\n"],
)  # fmt: skip
def test_an_error_outside_a_stage_is_told_from_a_log_that_breaks_off(
    tmp_path: Path, text: str
) -> None:
    run = read(tmp_path, text)
    assert run is not None
    assert run.broken
    assert (run.begun, run.failed, run.ended) == (None, None, False)
    assert run.said[-1] == text.splitlines()[-1]


def test_only_what_stays_on_a_terminal_is_kept_and_not_too_much(tmp_path: Path) -> None:
    lines = "".join(f"line {n}\n" for n in range(1000))
    said = f"Running stage 'a':\n\r 10%\r 90%\rdone\x1b[K\nCollecting |7 [00:01, 5/s]\n{lines}"
    run = read(tmp_path, said + "x" * 5000)
    assert run is not None
    assert run.said[:3] == ("Running stage 'a':", "done", "line 0")
    assert run.said[20] == "… 943 lines left out …"
    assert run.said[-2] == "line 999"
    assert len(run.said) == 61
    assert len(run.said[-1]) < 310


def test_an_experiment_ends_in_other_words(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        "Reproducing experiment 'cissy-weal'\nRunning stage 'train':\n> vitrine train\n"
        "Updating lock file 'dvc.lock'\n\nRan experiment(s): cissy-weal\n"
        "Experiment results have been applied to your workspace.\n",
    )
    assert run is not None
    assert (run.ran, run.ended) == (("train",), True)


def test_no_log_is_no_run(tmp_path: Path) -> None:
    assert Reproduction.read(tmp_path / "none.log") is None
    assert read(tmp_path, "") is None
