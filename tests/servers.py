"""Real servers for the tests: MLflow's, and PostgreSQL's."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

READY_SECONDS = 120
QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
WEBHOOKS = {
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": "dGVzdHMgb25seTogYSBrZXkgdGhhdCBpcyBubyBrZXk=",
    "MLFLOW_WEBHOOK_CACHE_TTL": "1",
}
"""What a server needs to send webhooks to this machine, and soon after they were made."""
POSTGRES = Path("/usr/lib/postgresql")
"""Where Debian keeps PostgreSQL, a folder a version."""
POSTGRES_USER = "postgres"


def free_port() -> int:
    """Return the number of a port of 127.0.0.1 that nobody listens on.

    It lies below those that the system gives to connections, one of which could take it before
    the server that it is for.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class MlflowServer:
    """An MLflow server that can be taken away and brought back with all that it knows.

    Args:
        folder: For its artifacts and its log.
        backend_store: The URI of its database; empty for a SQLite file in the folder.
        env: Environment variables beside the test's own.
        app_name: Of a plug-in such as `basic-auth`; empty for none.

    Attributes:
        address: Its URL, the same as long as this object lives.
        log: The file with what it printed.
    """

    def __init__(
        self, folder: Path, backend_store: str, env: Mapping[str, str], app_name: str
    ) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.log = folder / "server.log"
        self._folder = folder
        self._env = os.environ | QUIET | env
        self._command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        self._command += ["--host", "127.0.0.1", "--port", str(port)]
        self._command += ["--backend-store-uri", backend_store or f"sqlite:///{folder}/mlflow.db"]
        self._command += ["--artifacts-destination", str(folder / "artifacts")]
        if app_name:
            self._command += ["--app-name", app_name]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers; without an answer, the test fails with its log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the MLflow server does not answer:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End it and its workers; nothing answers at its address from here on."""
        if self._process is not None:
            _end_group(self._process)
            self._process = None

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.address}/health", timeout=5).close()
        except OSError:
            return False
        return True


@contextmanager
def mlflow_server(
    folder: Path,
    *,
    backend_store: str = "",
    env: Mapping[str, str] | None = None,
    app_name: str = "",
) -> Iterator[MlflowServer]:
    """Run an MLflow server until the block ends; see `MlflowServer` for the arguments."""
    server = MlflowServer(folder, backend_store, env or {}, app_name)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    # The worker is a child of the process that was started, and is what holds the port.
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=15)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL of its own until the block ends, and give the URI of its empty database.

    It listens on a socket in a folder that only its user can enter, not on the network. Where
    PostgreSQL is not installed, the test is skipped.
    """
    programs = max(POSTGRES.glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
    if programs is None or not (programs / "initdb").exists():
        pytest.skip("no PostgreSQL: Debian's package postgresql is not installed")
    as_user = _as_user()
    with tempfile.TemporaryDirectory(prefix="postgres-") as temporary:
        folder = Path(temporary)
        if as_user:
            shutil.chown(folder, POSTGRES_USER)
        data = str(folder / "data")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        control = [*as_user, str(programs / "pg_ctl"), "--pgdata", data, "--silent", "--wait"]
        new = ["--username", POSTGRES_USER, "--auth", "trust", "--encoding", "UTF8", "--no-sync"]
        _run([*as_user, str(programs / "initdb"), "--pgdata", data, *new], folder)
        _run([*control, "--log", f"{folder}/log", "--options", options, "start"], folder)
        try:
            yield f"postgresql+psycopg2://{POSTGRES_USER}@/postgres?host={folder}"
        finally:
            _run([*control, "--mode", "immediate", "stop"], folder)


def _as_user() -> list[str]:
    # initdb refuses to run as root, which is what CI's container has.
    if os.geteuid() != 0:
        return []
    if subprocess.run(["id", POSTGRES_USER], capture_output=True, check=False).returncode != 0:
        pytest.skip(f"root cannot run PostgreSQL, and there is no user {POSTGRES_USER}")
    return ["runuser", "-u", POSTGRES_USER, "--"]


def _run(command: list[str], folder: Path) -> None:
    # To a file: with a pipe, the server that pg_ctl leaves behind would keep it open.
    said = folder / "said"
    with said.open("wb") as output:
        done = subprocess.run(
            command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    assert done.returncode == 0, f"{' '.join(command)}:\n{said.read_text(errors='replace')}"
