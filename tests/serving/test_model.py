"""The model that a worker answers with: by which runtime, and what it says of that."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from vitrine.bundle.format import load_info
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import ServiceError
from vitrine.serving.app import create_app
from vitrine.serving.model import PackagedModel
from vitrine.serving.settings import Settings

Run = Callable[[Starlette], AbstractContextManager[httpx.Client]]


def test_the_model_says_what_computes_its_answers(
    client: httpx.Client, packaged: PackagedModel
) -> None:
    computing = client.get("/model").json()["computing"]
    info = load_info(packaged.folder)
    assert computing["runtime"] == "openvino"
    assert computing["device"] == Runtime(packaged.folder).device
    assert computing["precision"] == computing["chosen"] == info.computing.precision
    assert computing["measured"] == [one.model_dump() for one in info.computing.measured]


def test_tensorflow_that_is_not_there_is_named(
    packaged: PackagedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "vitrine.bundle.tensorflow_runtime", raising=False)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    words = r"RUNTIME: tensorflow needs tensorflow, which is not installed.*gpu-serve\.txt"
    with pytest.raises(ServiceError, match=words):
        packaged.open(Settings(runtime="tensorflow"))


@pytest.mark.slow
def test_a_service_by_tensorflow_answers_the_same(
    packaged: PackagedModel, run_app: Run, jpeg: bytes
) -> None:
    settings = Settings.read(
        {"VITRINE_SERVING_RUNTIME": "tensorflow", "VITRINE_SERVING_WORKERS": "1"}
    )
    with run_app(create_app(packaged, settings, None)) as client:
        computing = client.get("/model").json()["computing"]
        answer = client.post("/classify", files={"image": jpeg}).json()
    assert (computing["runtime"], computing["precision"]) == ("tensorflow", "f32")
    expected = Runtime(packaged.folder).answer([jpeg])
    for head in ("style", "category"):
        np.testing.assert_allclose(
            list(answer[head]["probabilities"].values()), expected.probabilities(head)[0], atol=1e-4
        )
