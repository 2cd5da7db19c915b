"""The routes of the service: answers to images, refusals of everything else."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import httpx
import numpy as np
import PIL.Image
import pytest

from mutations import claiming
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import BundleError
from vitrine.serving.app import create_app
from vitrine.serving.model import PackagedModel
from vitrine.serving.settings import Settings


def form(data: bytes, name: str = "shoe.jpg") -> dict[str, Any]:
    return {"files": {"image": (name, data, "image/jpeg")}}


def without_id(response: httpx.Response) -> dict[str, Any]:
    document = response.json()
    assert document.pop("request_id") == response.headers["X-Request-Id"]
    return document


def test_an_image_is_answered_with_named_probabilities(
    client: httpx.Client, packaged: PackagedModel, jpeg: bytes
) -> None:
    response = client.post("/classify", **form(jpeg))
    runtime = Runtime(packaged.folder)
    expected = runtime.answer([jpeg])

    assert response.status_code == 200
    answer = response.json()
    for head in ("style", "category"):
        names = runtime.info.taxonomy.names(head)
        probabilities = expected.probabilities(head)[0]
        assert answer[head]["label"] == names[int(probabilities.argmax())]
        assert answer[head]["probability"] == pytest.approx(probabilities.max(), abs=1e-5)
        assert list(answer[head]["probabilities"]) == list(names)
        np.testing.assert_allclose(
            list(answer[head]["probabilities"].values()), probabilities, atol=1e-5
        )
    assert answer["model"] == {"version": "7", "bundle_digest": runtime.info.digest}
    assert response.headers["X-Bundle-Digest"] == runtime.info.digest
    assert response.headers["X-Model-Version"] == "7"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_common_formats_are_taken(
    client: httpx.Client, picture: PIL.Image.Image, kind: str
) -> None:
    buffer = BytesIO()
    picture.save(buffer, kind)
    assert client.post("/classify", **form(buffer.getvalue())).status_code == 200


@pytest.mark.parametrize("kind", ["image/jpeg", "image/whatever", "application/octet-stream"])
def test_the_body_itself_may_be_the_image(client: httpx.Client, jpeg: bytes, kind: str) -> None:
    as_form = client.post("/classify", **form(jpeg))
    as_body = client.post("/classify", content=jpeg, headers={"Content-Type": kind})
    assert as_body.status_code == 200
    assert without_id(as_body) == without_id(as_form)


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (form(b"this is only text, whatever it is called"), 422, "this is text, not an image"),
        (form(claiming(30_000, 30_000)), 422, "30000"),
        (form(b""), 400, "the image is empty"),
        ({"files": {"picture": b"x"}}, 400, "no field 'image'; its fields: 'picture'"),
        ({"files": {"other": ("", b"")}}, 400, "no field 'image'"),
        ({"files": {"image": (None, "http://example.org/a.jpg")}}, 400, "must be a file"),
        ({"files": [("image", b"a"), ("image", b"b")]}, 400, "the form has 2 images; send one"),
        ({"files": [("a", b"a")] * 12}, 413, "more than 9 parts"),
        ({"data": {"image": "x"}}, 415, "is application/x-www-form-urlencoded"),
        ({"json": {}}, 415, "is application/json"),
        ({}, 415, "is missing"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "boundary"),
        ({"content": b"", "headers": {"Content-Type": "image/png"}}, 400, "empty"),
    ],
)
def test_what_holds_no_image_is_refused_in_words(
    client: httpx.Client, request_: dict[str, Any], status: int, words: str
) -> None:
    response = client.post("/classify", **request_)
    assert response.status_code == status
    assert words in response.json()["error"]


def test_a_truncated_image_is_refused(client: httpx.Client, jpeg: bytes) -> None:
    response = client.post("/classify", **form(jpeg[: len(jpeg) // 2]))
    assert response.status_code == 422
    assert "truncated" in response.json()["error"]


def test_a_larger_body_is_refused_by_its_declared_length(client: httpx.Client) -> None:
    response = client.post("/classify", **form(bytes(200_001)))
    assert response.status_code == 413
    assert "larger than 200000 bytes" in response.json()["error"]


@pytest.mark.parametrize("kind", ["image/jpeg", "multipart/form-data; boundary=b"])
def test_a_larger_body_without_a_length_is_cut_off(client: httpx.Client, kind: str) -> None:
    def stream() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        for _ in range(30):
            yield bytes(10_000)

    response = client.post("/classify", content=stream(), headers={"Content-Type": kind})
    assert response.status_code == 413


def test_a_client_that_goes_away_does_no_harm(client: httpx.Client, jpeg: bytes) -> None:
    head = "POST /classify HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(f"{head}Content-Length: {len(jpeg)}\r\n\r\n".encode() + jpeg[:100])
    assert client.post("/classify", **form(jpeg)).status_code == 200


def test_wrong_methods_and_unknown_paths_are_answered_in_json(client: httpx.Client) -> None:
    wrong = client.get("/classify")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "POST")
    assert without_id(wrong) == {"error": "/classify does not take GET; use POST"}
    unknown = client.get("/classification")
    assert unknown.status_code == 404
    assert "nothing is at /classification" in unknown.json()["error"]


def test_the_model_says_what_it_is(client: httpx.Client, packaged: PackagedModel) -> None:
    response = client.get("/model")
    card = response.json()
    info = Runtime(packaged.folder).info
    assert response.headers["X-Bundle-Digest"] == info.digest
    assert response.headers["X-Model-Version"] == "7"
    assert (card["worker"], card["workers"], card["refused"]) == (os.getpid(), 3, None)
    assert card["thresholds"] == info.thresholds
    assert card["explains"] == ["style", "category"]
    assert card["version"] == "7"
    assert card["tag"] == "vitrine:v7-0123abcd"
    assert card["bundle_digest"] == info.digest
    assert card["lineage"] == info.lineage.model_dump()
    assert [style["name"] for style in card["taxonomy"]["styles"]] == list(
        info.taxonomy.names("style")
    )


def test_requests_at_the_same_time_get_their_own_answers(
    client: httpx.Client, packaged: PackagedModel
) -> None:
    def encoded(gray: int) -> bytes:
        buffer = BytesIO()
        PIL.Image.new("L", (32, 32), gray).save(buffer, "PNG")
        return buffer.getvalue()

    sources = [encoded(gray) for gray in range(0, 256, 16)]
    expected = Runtime(packaged.folder).answer(sources).style
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda data: client.post("/classify", **form(data)), sources))
    answers = [list(response.json()["style"]["probabilities"].values()) for response in responses]
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_a_damaged_model_is_not_served(packaged: PackagedModel, tmp_path: Path) -> None:
    for file in packaged.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.bin").write_bytes(b"other weights")
    damaged = PackagedModel(tmp_path, packaged.tag, "vitrine", "7")
    app = create_app(damaged, Settings(), None)

    async def start() -> None:
        async with app.router.lifespan_context(app):
            pass

    with pytest.raises(BundleError, match=r"model\.bin is damaged"):
        anyio.run(start)
