"""The packaged model served by real processes: from the repository's root, and as a Bento elsewhere."""

import re
import statistics
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml

import registering
from clones import Clone, make_clone
from served import encoded, post, served
from vitrine.bundle.format import load_info
from vitrine.bundle.runtime import Runtime

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NOT_IN_THE_SERVICE = "tensorflow|keras|mlflow|dvc|great_expectations|optuna|pandas|sklearn"
NOTHING_PACKAGED = (
    "no packaged model to serve: bentofile.yaml pins none that is in BentoML's store; promote a "
    "version to champion, then run `vitrine package`"
)


def without_id(response: httpx.Response) -> dict[str, Any]:
    """Return an answer without what differs from request to request."""
    answer = response.json()
    assert answer.pop("request_id") == response.headers["X-Request-Id"]
    return answer


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Clone:
    """A clone whose champion is the tiny bundle, packaged."""
    clone = make_clone(tmp_path_factory.mktemp("packaged"))
    with clone.entered():
        registering.register(tiny_bundle, "vitrine", gate="passed", alias="champion")
    said = clone.run("vitrine", "package")
    assert "was put into BentoML's store as vitrine:v1-" in said
    return clone


@pytest.fixture(scope="module")
def service(packaged: Clone) -> Iterator[tuple[httpx.Client, Path]]:
    """`bentoml serve` without arguments; every process logs what it imports."""
    with served(folder=packaged.path, env=packaged.env | {"PYTHONPROFILEIMPORTTIME": "1"}) as both:
        yield both


@pytest.fixture
def client(service: tuple[httpx.Client, Path]) -> httpx.Client:
    """A client of the service in the repository's root."""
    return service[0]


def test_without_a_packaged_model_each_command_says_so_in_one_line(tmp_path: Path) -> None:
    clone = make_clone(tmp_path)
    assert clone.run("bentoml", "serve", status=1) == (
        f"Error: [serve] `serve` failed: {NOTHING_PACKAGED}\n"
    )
    assert clone.run("bentoml", "build", status=1) == (
        f"Error: [bentos] `build` failed: {NOTHING_PACKAGED}\n"
    )
    *_, said = clone.run("vitrine", "package", status=3).splitlines()
    assert said.startswith("error: the model 'vitrine' has no version with the alias champion: ")
    assert clone.run("git", "status", "--porcelain") == ""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_is_answered_as_the_bundle_answers(
    client: httpx.Client, tiny_bundle: Path, kind: str
) -> None:
    runtime = Runtime(tiny_bundle)
    expected = runtime.answer([encoded(kind)])
    response = post(client, encoded(kind))
    assert response.status_code == 200
    assert response.headers["X-Bundle-Digest"] == runtime.info.digest
    answer = response.json()
    for head in ("style", "category"):
        probabilities = expected.probabilities(head)[0]
        np.testing.assert_allclose(
            list(answer[head]["probabilities"].values()), probabilities, atol=1e-5
        )
        names = runtime.info.taxonomy.names(head)
        assert answer[head]["label"] == names[int(probabilities.argmax())]
    assert answer["model"] == {"version": "1", "bundle_digest": runtime.info.digest}


def test_what_is_no_image_is_refused_in_json(client: httpx.Client) -> None:
    truncated = encoded("JPEG")[:2000]
    huge = bytearray(encoded("PNG"))
    huge[16:24] = (30_000).to_bytes(4, "big") * 2
    huge[29:33] = zlib.crc32(huge[12:29]).to_bytes(4, "big")
    for data, words in [
        (b"only text", "this is text"),
        (truncated, "truncated"),
        (bytes(huge), "30000"),
    ]:
        response = post(client, data)
        assert response.status_code == 422
        assert words in response.json()["error"]
    missing = client.post("/classify", files={"picture": b"x"})
    assert (missing.status_code, "no field 'image'" in missing.text) == (400, True)
    assert client.post("/classify", json={}).status_code == 415
    assert client.get("/classify").status_code == 405
    large = post(client, bytes(34_000_000))
    assert (large.status_code, "larger than" in large.text) == (413, True)
    assert post(client, encoded("JPEG")).status_code == 200


def test_many_requests_at_once_get_their_own_answers(
    client: httpx.Client, tiny_bundle: Path
) -> None:
    sources = [encoded("PNG", seed) for seed in range(16)]
    expected = Runtime(tiny_bundle).answer(sources).category
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda data: post(client, data), sources))
    answers = [
        list(response.json()["category"]["probabilities"].values()) for response in responses
    ]
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_health_and_description_are_ours(client: httpx.Client, tiny_bundle: Path) -> None:
    assert client.get("/livez").status_code == 200
    assert client.get("/model").json()["bundle_digest"] == load_info(tiny_bundle).digest
    assert "/classify" in client.get("/openapi.json").json()["paths"]
    assert client.get("/docs.json").json() == client.get("/openapi.json").json()
    assert "<html" in client.get("/").text
    assert client.get("/nowhere").json()["error"].startswith("nothing is at /nowhere")


def test_training_libraries_stay_out_of_the_processes(service: tuple[httpx.Client, Path]) -> None:
    client, log = service
    assert post(client, encoded("JPEG")).status_code == 200
    imported = re.findall(r"^import time: .*\|\s*(\S+)$", log.read_text(), re.MULTILINE)
    assert "openvino" in imported
    assert not [name for name in imported if re.match(rf"({NOT_IN_THE_SERVICE})(\.|$)", name)]


def test_report_the_median_latency(
    client: httpx.Client, record_property: Callable[[str, object], None]
) -> None:
    data = encoded("JPEG")
    seconds = []
    for _ in range(100):
        start = time.perf_counter()
        assert post(client, data).status_code == 200
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds) * 1000
    record_property("median_ms", median)
    print(f"one client, 300 x 400 px JPEG: median {median:.1f} ms")  # noqa: T201 - the report


def test_a_bento_serves_its_own_code_and_model_elsewhere(
    packaged: Clone, client: httpx.Client, make_bundle: Callable[[Path, int], Path], tmp_path: Path
) -> None:
    here = without_id(post(client, encoded("JPEG")))
    bentofile = packaged.path / "bentofile.yaml"
    before = bentofile.read_text(encoding="utf-8")
    tag = packaged.run("bentoml", "build", "--output", "tag").strip().removeprefix("__tag__:")

    # Neither a later version in the store nor other sources on the path may change the Bento.
    other = make_bundle(tmp_path / "other", 2)
    with packaged.entered():
        registering.register(other, "vitrine", gate="passed", alias="champion")
    packaged.run("vitrine", "package")
    assert yaml.safe_load(bentofile.read_text())["models"][0]["tag"].startswith("vitrine:v2-")
    bentofile.write_text(before, encoding="utf-8")
    (tmp_path / "path" / "vitrine").mkdir(parents=True)
    (tmp_path / "path" / "vitrine" / "__init__.py").write_text("raise SystemExit('wrong sources')")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = packaged.env | {"PYTHONPATH": str(tmp_path / "path")}
    with served(tag, folder=elsewhere, env=env) as (there, _):
        assert without_id(post(there, encoded("JPEG"))) == here
        assert there.get("/").text == client.get("/").text


def test_a_bento_goes_to_another_machine_with_its_model(packaged: Clone, tmp_path: Path) -> None:
    tag = packaged.run("bentoml", "build", "--output", "tag").strip().removeprefix("__tag__:")
    archive = str(tmp_path / "api.bento")
    packaged.run("bentoml", "export", tag, archive)
    machine = Clone(tmp_path, packaged.env | {"BENTOML_HOME": str(tmp_path / "bentoml")})
    machine.run("bentoml", "import", archive)
    with served(tag, folder=tmp_path, env=machine.env) as (client, _):
        assert post(client, encoded("JPEG")).json()["model"]["version"] == "1"


def test_a_damaged_model_ends_the_start_in_one_line(packaged: Clone, tmp_path: Path) -> None:
    store = tmp_path / "bentoml"
    subprocess.run(["cp", "-r", packaged.env["BENTOML_HOME"], str(store)], check=True)
    (weights,) = store.glob("models/vitrine/v1-*/model.bin")
    weights.write_bytes(b"other weights")
    clone = Clone(packaged.path, packaged.env | {"BENTOML_HOME": str(store)})
    said = clone.run("bentoml", "serve", status=1)
    assert re.fullmatch(r"Error: \[serve\] `serve` failed: .*model\.bin is damaged: .*\n", said)


def test_a_wrong_setting_ends_the_start_in_one_line(packaged: Clone) -> None:
    clone = Clone(packaged.path, packaged.env | {"VITRINE_SERVING_WORKER": "1"})
    said = clone.run("bentoml", "serve", status=1)
    assert said == (
        "Error: [serve] `serve` failed: VITRINE_SERVING_WORKER is not a setting of the service; "
        "did you mean VITRINE_SERVING_WORKERS?\n"
    )
