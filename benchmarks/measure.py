"""What every benchmark needs: a process with its time and peak memory, and where that was."""

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Servers, services and browsers are driven as in the tests.
sys.path.insert(0, str(ROOT / "tests"))


@dataclass(frozen=True)
class Measured:
    """One finished process: wall-clock seconds, peak resident memory in MiB, standard output."""

    seconds: float
    peak_mib: float
    output: str


def run(command: list[str], cwd: Path, env: dict[str, str] | None = None) -> Measured:
    """Run a command to its end and measure it; a failing one ends the benchmark with its output.

    The commands of this Python's environment are found by name, and `vitrine` is the one in `cwd`.
    """
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(cwd / "src"),
    }
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **own, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{output}")
    return Measured(seconds, usage.ru_maxrss / 1024, output)


def where() -> str:
    """Say when, on what machine and at which commit this runs, as one line of Markdown."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    model = platform.machine()
    if (cpuinfo := Path("/proc/cpuinfo")).exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    python = platform.python_version()
    return f"{date.today()} · {os.cpu_count()} cores, {model} · Python {python} · commit {commit}"


def clone(folder: Path) -> Path:
    """Clone the committed state of this repository into `folder`/vitrine and return that."""
    target = folder / "vitrine"
    run(["git", "clone", "--quiet", str(ROOT), str(target)], cwd=folder)
    return target
