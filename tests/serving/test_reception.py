"""Every request has an id and an answer, whatever goes wrong."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from vitrine.bundle.runtime import Predictions, Runtime
from vitrine.serving.app import create_app
from vitrine.serving.model import PackagedModel
from vitrine.serving.settings import Settings

Run = Callable[[Starlette], AbstractContextManager[httpx.Client]]


@pytest.fixture
def hurried(packaged: PackagedModel, run_app: Run) -> Iterator[httpx.Client]:
    """A client of an app with little room and little time."""
    with run_app(create_app(packaged, Settings(queue=2, timeout=0.5), None)) as client:
        yield client


def ask(client: httpx.Client, jpeg: bytes) -> httpx.Response:
    return client.post("/classify", files={"image": ("a.jpg", jpeg)})


def refusals(client: httpx.Client) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    return {
        line.split('"')[1]: float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("vitrine_refusals_total")
    }


@pytest.mark.parametrize(
    ("path", "method"), [("/classify", "POST"), ("/model", "GET"), ("/nowhere", "GET")]
)
def test_the_id_of_a_request_comes_back(client: httpx.Client, path: str, method: str) -> None:
    given = "shop-17.a_B"
    response = client.request(method, path, headers={"X-Request-Id": given})
    assert response.headers.get_list("X-Request-Id") == [given]
    if response.status_code != 200:
        assert response.json()["request_id"] == given


@pytest.mark.parametrize("given", [None, "", "a b", "a" * 65, "ä", 'x"y', "../x"])
def test_a_request_without_a_usable_id_gets_one(client: httpx.Client, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-Id": given.encode()}
    made = [client.get("/nowhere", headers=headers).headers["X-Request-Id"] for _ in range(2)]
    assert made[0] != made[1]
    assert all(len(one) == 32 and one.isalnum() for one in made)


def test_a_fault_of_ours_is_answered_without_its_details(
    hurried: httpx.Client,
    jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret")

    with monkeypatch.context() as patch:
        patch.setattr(Runtime, "predict", broken)
        response = ask(hurried, jpeg)
    assert response.status_code == 500
    assert response.json() == {
        "error": "the service failed on this request; its log says why",
        "request_id": response.headers["X-Request-Id"],
    }
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert response.headers["X-Request-Id"] in record.message
    assert record.exc_info is not None
    assert refusals(hurried)["fault"] == 1
    assert ask(hurried, jpeg).status_code == 200


def test_overload_and_lateness_are_refused_and_pass(
    hurried: httpx.Client, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, busy = threading.Event(), threading.Event()
    predict = Runtime.predict

    def slow(runtime: Runtime, images: np.ndarray) -> Predictions:
        busy.set()
        assert go_on.wait(10)
        return predict(runtime, images)

    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(Runtime, "predict", slow)
        start = time.monotonic()
        waiting = [pool.submit(ask, hurried, jpeg) for _ in range(2)]
        assert busy.wait(10)
        while (shed := ask(hurried, jpeg)).status_code == 504:
            pass
        late = [one.result() for one in waiting]
        took = time.monotonic() - start
        go_on.set()
    assert shed.status_code == 503
    assert shed.headers["Retry-After"] == "1"
    assert "try again in a second" in shed.json()["error"]
    for one in late:
        assert one.status_code == 504
        assert one.json()["error"] == "the answer took too long; try again later"
    assert took < 5
    found = refusals(hurried)
    assert found["overload"] >= 1
    assert found["timeout"] >= 2
    assert ask(hurried, jpeg).status_code == 200
