"""The machine that runs one job: its folders, its environment, and the scripts of its steps."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

TRACKED = "RUNNER_TRACKING_ID"
"""The variable by which GitHub finds what a job left running."""
SHELLS: Mapping[str, list[str]] = {
    "": ["bash", "-e"],
    "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
}
"""How GitHub runs a script: only where bash is asked for by name does a pipe fail as a whole."""
ENVIRONMENT = ("bin", "lib", "lib64", "include", "pyvenv.cfg")
FOREIGN = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GITHUB_", "INPUT_", "RUNNER_")
"""How variables begin that a fresh machine does not have: a person's name, another workflow's."""
CHANNELS = ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY")
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Said:
    """What a script left: its exit status, its log, and what it wrote for later steps."""

    status: int
    stopped: bool
    log: str
    outputs: Mapping[str, str]
    summary: str


class Machine:
    """A machine on which nothing of the repository is installed, and that no other job used.

    Args:
        folder: For the workspace and the files of the steps.
        env: What its processes have in their environment, beside what GitHub sets.

    Attributes:
        workspace: Where the steps run.
        env: What its processes have now in their environment.
        set: What steps wrote to GITHUB_ENV.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.workspace = folder / "work"
        self.workspace.mkdir(parents=True)
        self.set: dict[str, str] = {}
        self.env = {key: value for key, value in env.items() if not key.startswith(FOREIGN)}
        self.env |= {
            "CI": "true",
            "PATH": _path_of_a_fresh_machine(env["PATH"]),
            "PYTHONPATH": str(self.workspace / "src"),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            "RUNNER_TEMP": str(folder),
            TRACKED: str(folder),
        }
        self._folder = folder
        self._scripts = 0

    def equip(self) -> None:
        """Give the workspace the environment that the tests run in, so `make setup` finds it made."""
        home = self.workspace / ".venv"
        home.mkdir()
        for name in ENVIRONMENT:
            if (Path(sys.prefix) / name).exists():
                (home / name).symlink_to(Path(sys.prefix) / name)
        (home / ".installed-dev").touch()

    def script(self, text: str, shell: str, env: Mapping[str, str], stop_at: str) -> Said:
        """Run a script in the workspace.

        Args:
            text: What a shell reads.
            shell: A key of `SHELLS`.
            env: Variables beside the machine's.
            stop_at: Once this is printed, all of the job's processes are killed; empty for never.
        """
        self._scripts += 1
        folder = self._folder / f"step-{self._scripts}"
        folder.mkdir()
        channels = {f"GITHUB_{name}": folder / name.lower() for name in CHANNELS}
        for path in channels.values():
            path.touch()
        script, log = folder / "script.sh", folder / "log"
        script.write_text(text, encoding="utf-8")
        variables = {**self.env, **env} | {key: str(path) for key, path in channels.items()}
        status, stopped = self._run([*SHELLS[shell], str(script)], variables, log, stop_at)
        self.set |= pairs(channels["GITHUB_ENV"])
        for entry in _lines(channels["GITHUB_PATH"]):
            self.env["PATH"] = f"{entry}{os.pathsep}{self.env['PATH']}"
        return Said(
            status,
            stopped,
            log.read_text(encoding="utf-8", errors="replace"),
            pairs(channels["GITHUB_OUTPUT"]),
            channels["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"),
        )

    def clear(self) -> None:
        """Kill what the job's steps left running."""
        while processes := list(self._processes()):
            for process in processes:
                process.kill()
            psutil.wait_procs(processes)

    def _run(
        self, command: list[str], env: Mapping[str, str], log: Path, stop_at: str
    ) -> tuple[int, bool]:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.workspace,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            stopped = self._wait(process, log, stop_at.encode())
        return process.returncode, stopped

    def _wait(self, process: "subprocess.Popen[bytes]", log: Path, stop_at: bytes) -> bool:
        try:
            while process.poll() is None:
                time.sleep(LOOK_SECONDS)
                if stop_at and stop_at in log.read_bytes():
                    self.clear()
                    process.wait()
                    return True
        except BaseException:
            self.clear()
            raise
        return False

    def _processes(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            try:
                if process.environ().get(TRACKED) == self.env[TRACKED]:
                    yield process
            except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
                continue


def pairs(path: Path) -> dict[str, str]:
    """Read `key=value` lines, or values of several lines between `key<<MARK` and `MARK`."""
    found: dict[str, str] = {}
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    for line in lines:
        key, sign, value = line.partition("=")
        block, opened, mark = line.partition("<<")
        if opened and len(block) < len(key):
            found[block] = "\n".join(_until(mark, lines))
        elif sign:
            found[key] = value
        elif line:
            raise ValueError(f"{path.name}: {line!r} is neither key=value nor key<<MARK")
    return found


def _until(mark: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == mark:
            return
        yield line
    raise ValueError(f"no line says {mark!r}, which was to end a value")


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line]


def _path_of_a_fresh_machine(path: str) -> str:
    # The job must find the tools by what its own steps did.
    if sys.prefix == sys.base_prefix:
        return path
    own = Path(sys.prefix) / "bin"
    return os.pathsep.join(entry for entry in path.split(os.pathsep) if Path(entry) != own)
