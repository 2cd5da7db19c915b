"""Only MLflow's own deliveries wake the watcher."""

import socket
import threading
import time
import urllib.error
import urllib.request

import pytest
from mlflow.webhooks.delivery import _generate_hmac_signature

from vitrine.core.errors import ReleaseError
from vitrine.release.webhook import OLDEST, SENDERS, Delivery, receiver, signature

KEY = "a shared key"
BODY = b'{"entity":"model_version_alias","action":"created"}'


@pytest.fixture
def address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def post(url: str, body: bytes, timestamp: str, signed: str) -> int:
    headers = {
        "X-MLflow-Delivery-Id": "d-1",
        "X-MLflow-Timestamp": timestamp,
        "X-MLflow-Signature": signed,
    }
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=5) as said:
            return int(said.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_signature_is_that_of_mlflow() -> None:
    ours = signature(KEY, "d-1", "1764000000", BODY)
    assert ours == _generate_hmac_signature(KEY, "d-1", "1764000000", BODY.decode())


def test_a_recorded_delivery_is_genuine() -> None:
    body = (
        b'{"entity": "model_version_alias", "action": "created", "timestamp": '
        b'"2026-11-25T03:08:10.979467+00:00", "data": {"name": "vitrine", "alias": "champion", '
        b'"version": "1"}}'
    )
    sent = Delivery(
        "1e662d4f-fc70-4747-add5-cfcaa2e6065e",
        "1795576090",
        "v1,Itifw2f7NiqzTFRAv77SlBAzy6i2evE4pSLT9HJlVY8=",
        body,
    )
    assert sent.is_genuine("s3cret-für", 1795576090 + 20)
    assert not sent.is_genuine("s3cret-fur", 1795576090 + 20)


def test_a_genuine_delivery_wakes(address: str) -> None:
    wake = threading.Event()
    now = str(int(time.time()))
    with receiver(address, KEY, wake):
        assert post(address, BODY, now, signature(KEY, "d-1", now, BODY)) == 204
    assert wake.is_set()


@pytest.mark.parametrize(
    ("key", "age", "body"),
    [("another key", 0, BODY), (KEY, OLDEST + 10, BODY), (KEY, 0, b'{"entity":"other"}')],
)
def test_anything_else_does_not(address: str, key: str, age: float, body: bytes) -> None:
    wake = threading.Event()
    sent = str(int(time.time() - age))
    with receiver(address, KEY, wake):
        assert post(address, body, sent, signature(key, "d-1", sent, BODY)) == 401
        assert post(address, body, sent, "") == 401
        assert post(address, bytes(70_000), sent, "") == 413
    assert not wake.is_set()


def test_those_who_send_nothing_do_not_pile_up(address: str) -> None:
    wake = threading.Event()
    now = str(int(time.time()))
    port = int(address.rpartition(":")[2])
    with receiver(address, KEY, wake):
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(SENDERS)]
        time.sleep(0.2)
        threads = threading.active_count()
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            post(address, BODY, now, signature(KEY, "d-1", now, BODY))
        assert threading.active_count() == threads
        for sender in slow:
            sender.close()
        time.sleep(0.2)
        assert post(address, BODY, now, signature(KEY, "d-1", now, BODY)) == 204


def test_a_length_of_many_digits(address: str) -> None:
    port = int(address.rpartition(":")[2])
    with (
        receiver(address, KEY, threading.Event()),
        socket.create_connection(("127.0.0.1", port), timeout=5) as sender,
    ):
        sender.sendall(f"POST / HTTP/1.0\r\nContent-Length: {'9' * 5000}\r\n\r\n".encode())
        assert b" 413 " in sender.recv(100)


def test_a_timestamp_must_be_a_number() -> None:
    signed = signature(KEY, "d-1", "soon", BODY)
    assert not Delivery("d-1", "soon", signed, BODY).is_genuine(KEY, time.time())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://here", "must be like http://this-host:8800"),
        ("8800", "must be"),
        ("http://here:99999", "must be"),
    ],
)
def test_an_address_without_a_port(url: str, words: str) -> None:
    with pytest.raises(ReleaseError, match=words), receiver(url, KEY, threading.Event()):
        pass


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(ReleaseError, match="cannot be listened on"),
            receiver(url, KEY, threading.Event()),
        ):
            pass
