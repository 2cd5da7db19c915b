"""`bentoml serve` keeps to itself without keys, and cuts off who keeps it waiting."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from clones import Clone, make_clone
from served import encoded, pin, post, served, store
from servers import free_port
from vitrine.serving.connection import HEAD_SECONDS
from vitrine.serving.keys import new_key

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TAG = "vitrine:v7-0123abcd"
SLOW_CLIENTS = 300


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Clone:
    """A clone that serves the tiny bundle."""
    clone = make_clone(tmp_path_factory.mktemp("packaged"))
    store(clone, TAG, tiny_bundle, "7")
    pin(clone.path, TAG)
    clone.env["VITRINE_SERVING_WORKERS"] = "1"
    return clone


@contextmanager
def listening(clone: Clone, variables: Mapping[str, str]) -> Iterator[int]:
    """Run `bentoml serve` as the variables say until the block ends; give its port."""
    port = free_port()
    process = subprocess.Popen(
        ["bentoml", "serve"],
        cwd=clone.path,
        env=clone.env | variables | {"BENTOML_PORT": str(port)},
        start_new_session=True,
    )
    try:
        until_ready(f"http://127.0.0.1:{port}/readyz", process)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("bentoml serve did not come up")


def test_without_keys_no_other_address_is_served(packaged: Clone) -> None:
    said = packaged.run("bentoml", "serve", "--host", "0.0.0.0", status=1)
    assert said.startswith("Error: [serve] `serve` failed: without keys, others could use")
    assert "0.0.0.0: set VITRINE_SERVING_KEYS" in said
    assert said.count("\n") == 1


def test_by_itself_it_listens_on_loopback_alone(packaged: Clone) -> None:
    with listening(packaged, {}) as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port))


def test_with_keys_it_listens_where_it_is_told_to(packaged: Clone) -> None:
    secret, key = new_key("shop")
    variables = {"BENTOML_HOST": "0.0.0.0", "VITRINE_SERVING_KEYS": str(key)}
    with (
        listening(packaged, variables) as port,
        httpx.Client(base_url=f"http://127.0.0.2:{port}", timeout=30) as client,
    ):
        assert client.get("/readyz").status_code == 200
        assert post(client, encoded("JPEG")).status_code == 401
        client.headers["X-Api-Key"] = secret
        assert post(client, encoded("JPEG")).status_code == 200


def test_slow_clients_are_cut_off_and_hinder_nobody(packaged: Clone) -> None:
    with served(folder=packaged.path, env=packaged.env) as (client, _):
        address = (client.base_url.host, client.base_url.port)
        slow = [socket.create_connection(address) for _ in range(SLOW_CLIENTS)]
        start = time.monotonic()
        for connection in slow:
            connection.sendall(b"POST /classify HTTP/1.1\r\nX: ")
        while time.monotonic() - start < HEAD_SECONDS / 2:
            asked = time.monotonic()
            assert post(client, encoded("JPEG")).status_code == 200
            assert time.monotonic() - asked < 1
        for connection in slow:
            connection.settimeout(max(0.1, start + HEAD_SECONDS + 3 - time.monotonic()))
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
            connection.close()
