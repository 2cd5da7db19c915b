"""What each route answers beyond the labels: batches, heat maps, vectors, counts, the log."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import PIL.Image
import pytest
from starlette.applications import Starlette

from mutations import claiming
from vitrine import imaging
from vitrine.bundle.evidence import evidence
from vitrine.bundle.runtime import Predictions, Runtime
from vitrine.serving.app import create_app
from vitrine.serving.model import PackagedModel
from vitrine.serving.prediction_log import read_log
from vitrine.serving.settings import Settings

Run = Callable[[Starlette], AbstractContextManager[httpx.Client]]


def form(data: bytes) -> dict[str, Any]:
    return {"files": {"image": ("shoe.jpg", data)}}


def many(*images: tuple[str, bytes]) -> dict[str, Any]:
    return {"files": [("image", image) for image in images]}


def counted(client: httpx.Client) -> dict[str, float]:
    response = client.get("/metrics")
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in response.text.splitlines() if line[0] != "#"]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.fixture(scope="module")
def runtime(packaged: PackagedModel) -> Runtime:
    return Runtime(packaged.folder)


@pytest.fixture
def fresh(packaged: PackagedModel, run_app: Run) -> Iterator[httpx.Client]:
    """A client of an app of its own, whose counts start at nothing."""
    with run_app(create_app(packaged, Settings(top_k=2, max_batch_images=3), None)) as client:
        yield client


def test_the_top_labels_come_in_order_with_the_names_that_people_read(
    client: httpx.Client, fresh: httpx.Client, runtime: Runtime, jpeg: bytes
) -> None:
    for one, length in ((client, 5), (fresh, 2)):
        answer = one.post("/classify", **form(jpeg)).json()
        for head in ("style", "category"):
            top = answer[head]["top"]
            ranked = sorted(answer[head]["probabilities"].items(), key=lambda item: -item[1])
            assert [(entry["label"], entry["probability"]) for entry in top] == ranked[:length]
            labels = {label.name: label for label in runtime.info.taxonomy.labels(head)}
            for entry in top:
                label = labels[entry["label"]]
                assert entry["name"] == {"en": label.text("en"), "zh": label.text("zh")}
            assert answer[head]["label"] == top[0]["label"]


@pytest.mark.parametrize(("threshold", "unsure"), [(0.0, False), (2.0, True)])
def test_an_answer_below_the_threshold_is_unsure(
    packaged: PackagedModel,
    run_app: Run,
    jpeg: bytes,
    tmp_path: Path,
    threshold: float,
    unsure: bool,
) -> None:
    for file in packaged.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    info = json.loads((tmp_path / "bundle.json").read_text())
    info["thresholds"] = {"style": threshold, "category": 2.0}
    (tmp_path / "bundle.json").write_text(json.dumps(info))
    changed = PackagedModel(tmp_path, packaged.tag, "vitrine", "7")
    with run_app(create_app(changed, Settings(), None)) as client:
        answer = client.post("/classify", **form(jpeg)).json()
    assert (answer["style"]["unsure"], answer["category"]["unsure"]) == (unsure, True)


def test_each_image_of_a_batch_is_answered_or_refused_on_its_own(
    client: httpx.Client, jpeg: bytes, picture: PIL.Image.Image
) -> None:
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    images = [("a.jpg", jpeg), ("b.txt", b"only text"), ("c.png", buffer.getvalue()), ("d", b"")]
    response = client.post("/classify_batch", **many(*images))
    assert response.status_code == 200
    document = response.json()
    assert document["request_id"] == response.headers["X-Request-Id"]
    items = document["answers"]
    assert [item["name"] for item in items] == ["a.jpg", "b.txt", "c.png", "d"]
    for item, image in ((items[0], jpeg), (items[2], buffer.getvalue())):
        alone = client.post(
            "/classify", **form(image), headers={"X-Request-Id": document["request_id"]}
        ).json()
        assert item["error"] is None
        for head in ("style", "category"):
            assert item["answer"][head]["probabilities"] == pytest.approx(
                alone[head]["probabilities"], abs=1e-5
            )
        assert item["answer"]["model"] == alone["model"]
    assert items[1]["answer"] is None
    assert items[1]["error"].startswith("the image cannot be used: this is text")
    assert items[3]["error"] == "the image cannot be used: the file is empty"


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"content": b"x", "headers": {"Content-Type": "image/jpeg"}}, 415, "is image/jpeg"),
        (many(*[("a", b"a")] * 4), 413, "more than 3 images"),
        (many(*[("a", b"a")] * 30), 413, "more than 11 parts"),
        ({"files": {"picture": b"x"}}, 400, "no field 'image'"),
        ({"files": [("image", b"a"), ("image", (None, "text"))]}, 400, "must be a file"),
    ],
)
def test_what_is_no_batch_is_refused_in_words(
    fresh: httpx.Client, request_: dict[str, Any], status: int, words: str
) -> None:
    response = fresh.post("/classify_batch", **request_)
    assert response.status_code == status
    assert words in response.json()["error"]


@pytest.mark.parametrize("head", ["style", "category"])
def test_the_evidence_is_given_as_numbers(
    client: httpx.Client, runtime: Runtime, jpeg: bytes, head: str
) -> None:
    expected = runtime.answer([jpeg])
    best = int(expected.probabilities(head)[0].argmax())
    names = runtime.info.taxonomy.names(head)
    for label, index in [(None, best), (names[0], 0), (names[-1], len(names) - 1)]:
        query = {"head": head, "format": "json"} | ({"label": label} if label else {})
        said = client.post("/explain", params=query, **form(jpeg)).json()
        assert (said["head"], said["label"]) == (head, names[index])
        assert said["probability"] == pytest.approx(
            expected.probabilities(head)[0][index], abs=1e-5
        )
        values = np.array(said["values"])
        assert values.shape == (said["height"], said["width"])
        np.testing.assert_allclose(values, evidence(expected.maps(head)[0], index), atol=1e-4)
        assert values.max() == pytest.approx(1)


def test_the_evidence_is_drawn_over_the_image_as_the_network_saw_it(
    client: httpx.Client, runtime: Runtime, jpeg: bytes
) -> None:
    response = client.post("/explain", **form(jpeg))
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["X-Bundle-Digest"] == runtime.info.digest
    picture = PIL.Image.open(BytesIO(response.content))
    seen = imaging.load(jpeg, runtime.info.image)
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", seen.shape[1::-1])

    drawn = np.asarray(picture).astype(float)
    said = client.post("/explain", params={"format": "json"}, **form(jpeg)).json()
    coarse = np.array(said["values"], np.float32)
    size = seen.shape[1::-1]
    strength = np.asarray(PIL.Image.fromarray(coarse).resize(size, PIL.Image.Resampling.BICUBIC))
    colourful = drawn.max(axis=2) - drawn.min(axis=2)
    assert colourful[strength > 0.9].mean() > 60
    assert colourful[strength < 0.01].max() < 5
    np.testing.assert_allclose(
        drawn.mean(axis=2)[strength < 0.01], seen.mean(axis=2)[strength < 0.01], atol=3
    )
    other = client.post("/explain", params={"head": "category"}, **form(jpeg))
    assert other.content != response.content


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"head": "colour"}, "head must be style or category, but is 'colour'"),
        ({"format": "svg"}, "format must be png or json, but is 'svg'"),
        ({"label": "nothing"}, "label must be a style that the model knows, but is 'nothing'"),
    ],
)
def test_a_wrong_question_for_evidence_is_refused(
    client: httpx.Client, jpeg: bytes, query: dict[str, str], words: str
) -> None:
    response = client.post("/explain", params=query, **form(jpeg))
    assert response.status_code == 422
    assert words in response.json()["error"]


def test_a_network_without_maps_explains_nothing(
    client: httpx.Client, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Predictions, "maps", lambda self, head: None)
    response = client.post("/explain", **form(jpeg))
    assert response.status_code == 409
    assert "no heat maps" in response.json()["error"]


def test_an_image_is_turned_into_a_vector(
    client: httpx.Client, runtime: Runtime, jpeg: bytes
) -> None:
    response = client.post("/embed", **form(jpeg))
    said = response.json()
    np.testing.assert_allclose(said["embedding"], runtime.answer([jpeg]).embedding[0], atol=1e-4)
    assert said["model"]["bundle_digest"] == runtime.info.digest


def test_requests_answers_and_refusals_are_counted(fresh: httpx.Client, jpeg: bytes) -> None:
    answer = fresh.post("/classify", **form(jpeg)).json()
    fresh.post("/classify_batch", **many(("a", jpeg), ("b", b"only text")))
    fresh.post("/classify", **form(b"only text"))
    fresh.post("/classify_batch", **many(*[("a", jpeg)] * 4))
    fresh.post("/classify", **form(claiming(30_000, 30_000)))
    fresh.get("/classify")
    fresh.get("/no/such/path")
    found = counted(fresh)
    for route, status, count in [
        ("/classify", 200, 1),
        ("/classify", 422, 2),
        ("/classify", 405, 1),
        ("/classify_batch", 200, 1),
        ("/classify_batch", 413, 1),
        ("other", 404, 1),
    ]:
        assert found[f'vitrine_requests_total{{route="{route}",status="{status}"}}'] == count
    refused = {"bad_image": 2, "image_too_large": 1, "batch_too_large": 1, "method": 1, "route": 1}
    for reason, count in refused.items():
        assert found[f'vitrine_refusals_total{{reason="{reason}"}}'] == count
    style = answer["style"]
    labels = f'head="style",label="{style["label"]}",unsure="{str(style["unsure"]).lower()}"'
    assert found[f"vitrine_predictions_total{{{labels}}}"] == 2
    assert found['vitrine_confidence_count{head="style"}'] == 2
    assert "/no/such/path" not in fresh.get("/metrics").text


def test_answers_are_kept_in_the_log_when_that_is_wanted(
    packaged: PackagedModel, run_app: Run, jpeg: bytes, tmp_path: Path
) -> None:
    settings = Settings(log=str(tmp_path), log_embeddings=True)
    before = time.time()
    with run_app(create_app(packaged, settings, None)) as client:
        answer = client.post("/classify", **form(jpeg)).json()
        client.post("/classify", **form(b"only text"))
        vector = client.post("/embed", **form(jpeg)).json()["embedding"]
    (entry,) = read_log(tmp_path)
    assert before < entry.pop("time") < time.time()
    assert 0 < entry.pop("brightness") < 255
    np.testing.assert_allclose(entry.pop("embedding"), vector, atol=1e-6)
    assert entry == {
        "request_id": answer["request_id"],
        **answer["model"],
        **{
            head: {key: answer[head][key] for key in ("label", "probability", "unsure")}
            for head in ("style", "category")
        },
        "bytes": len(jpeg),
        "width": 40,
        "height": 50,
    }
