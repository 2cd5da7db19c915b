"""Whatever is sent, the service answers or refuses: it never fails, and tells nothing of itself.

Set VITRINE_FUZZ_EXAMPLES for a longer run with other examples each time.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from mutations import SEEDS, flip, images, insert, overwrite, truncate
from vitrine.serving.openapi import openapi

EXAMPLES = "VITRINE_FUZZ_EXAMPLES"
MAX_BODY_BYTES = 200_000
SLOW_SECONDS = 5

# In a process of its own: a crash must not take the tests with it, and its memory is measured.
SERVE = """
import socket, sys
from pathlib import Path
import uvicorn
from vitrine.serving.app import create_app
from vitrine.serving.model import PackagedModel
from vitrine.serving.connection import guard_connections
from vitrine.serving.settings import Settings

guard_connections()
model = PackagedModel(Path(sys.argv[1]), "vitrine:v7-0123abcd", "vitrine", "7")
app = create_app(model, Settings(workers=1, max_body_bytes=int(sys.argv[2])), None)
with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    server.run(sockets=[listener])
"""

REVEALING = (
    "traceback", "site-packages", ".py", "/home", "/root", "/tmp", "/usr", "0x", "python",
    "pillow", "pil.", "opencv", "cv2", "simplejpeg", "numpy", "openvino", "starlette", "uvicorn",
)  # fmt: skip

run = settings(
    max_examples=int(os.environ.get(EXAMPLES, "150")),
    derandomize=EXAMPLES not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class Target:
    """The service that is attacked.

    Args:
        client: Asks it.
        process: What runs it.
    """

    client: httpx.Client
    process: subprocess.Popen[str]

    def send(self, path: str, **request: object) -> httpx.Response:
        """Send a request, and check what is true of every answer."""
        start = time.monotonic()
        response = self.client.post(path, **request)  # type: ignore[arg-type]
        assert time.monotonic() - start < SLOW_SECONDS
        check(response)
        return response

    def memory(self) -> int:
        """Return the resident memory in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


def check(response: httpx.Response) -> None:
    """Check that an answer is no failure, and that a refusal says why without revealing."""
    assert response.status_code < 500 or response.status_code == 503, response.text
    if response.status_code >= 400:
        error = response.json()["error"]
        assert len(error) > 10
        assert not [word for word in REVEALING if word in error.lower()], error
    if response.headers.get("content-type") == "application/json":
        json.loads(response.text, parse_constant=pytest.fail)


@pytest.fixture(scope="module")
def target(tiny_bundle: Path) -> Iterator[Target]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tiny_bundle), str(MAX_BODY_BYTES)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        with httpx.Client(base_url=url, timeout=60) as client:
            wait(client, process)
            yield Target(client, process)
            assert process.poll() is None, "the service has crashed"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def wait(client: httpx.Client, process: subprocess.Popen[str]) -> None:
    """Wait until the service answers."""
    while process.poll() is None:
        try:
            client.get("/model")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the service did not start")


ROUTES = ("/classify", "/embed", "/explain", "/explain?head=category&format=json")
TYPES = ("image/jpeg", "image/png", "application/octet-stream", "image/svg+xml")


@run
@given(data=images(), path=st.sampled_from(ROUTES), kind=st.sampled_from([None, *TYPES]))
def test_any_image_is_answered_or_refused(
    target: Target, data: bytes, path: str, kind: str | None
) -> None:
    if kind:
        target.send(path, content=data, headers={"Content-Type": kind})
    else:
        target.send(path, files={"image": ("shoe.jpg", data)})


@run
@given(sources=st.lists(images(), max_size=6))
def test_each_image_of_a_batch_is_answered_or_refused(target: Target, sources: list[bytes]) -> None:
    files = [("image", (f"{number}.jpg", data)) for number, data in enumerate(sources)]
    response = target.send("/classify_batch", files=files)
    if response.status_code == 200:
        answers = response.json()["answers"]
        assert len(answers) == len(sources)
        for answer in answers:
            assert (answer["answer"] is None) != (answer["error"] is None)
            error = (answer["error"] or "").lower()
            assert not [word for word in REVEALING if word in error], error


NAMES = st.sampled_from(["image", "picture", "", "image[]", "im\u00e4ge", "a" * 300]) | st.text(
    max_size=8
)
HEADERS = st.sampled_from(
    [
        "Content-Disposition: form-data; name=image; filename*=UTF-8''%ff%fe",
        'Content-Disposition: form-data; name="image"; filename="../../etc/passwd"',
        'Content-Disposition: form-data; filename="a"',
        "Content-Disposition: attachment",
        "Content-Type: multipart/mixed; boundary=b",
        "Content-Transfer-Encoding: base64",
        "X: " + "x" * 9000,
        ": nothing",
        "no colon",
    ]
)


@st.composite
def parts(draw: st.DrawFn) -> bytes:
    """Draw one part of a form."""
    name = draw(NAMES)
    file = draw(st.sampled_from(["", '; filename="a.jpg"', "; filename=", '; filename="']))
    lines = [
        f'Content-Disposition: form-data; name="{name}"{file}',
        *draw(st.lists(HEADERS, max_size=3)),
    ]
    head = "\r\n".join(draw(st.permutations(lines))).encode(errors="replace")
    return head + draw(st.sampled_from([b"\r\n\r\n", b"\r\n", b"\n\n", b""])) + draw(images())


@run
@given(
    content=st.lists(parts(), max_size=12),
    mutation=st.sampled_from([None, truncate, flip, overwrite, insert]),
    boundary=st.sampled_from(["b", "b", "b", "", '"b', "c", "b" * 300, "\u00e4"]),
    path=st.sampled_from([*ROUTES, "/classify_batch"]),
    data=st.data(),
)
def test_any_form_is_answered_or_refused(
    target: Target,
    content: list[bytes],
    mutation: Callable[[st.DrawFn, bytearray], None] | None,
    boundary: str,
    path: str,
    data: st.DataObject,
) -> None:
    body = bytearray(b"".join(b"--b\r\n" + part + b"\r\n" for part in content) + b"--b--\r\n")
    if mutation:
        mutation(data.draw, body)
    kind = f"multipart/form-data; boundary={boundary}".encode()
    target.send(path, content=bytes(body), headers={"Content-Type": kind})


@run
@given(
    path=st.text(max_size=20) | st.sampled_from(["classify", "explain", "static/..", "model/"]),
    query=st.dictionaries(
        st.sampled_from(["head", "label", "format", "x"]), st.text(max_size=20), max_size=4
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"]),
    headers=st.dictionaries(
        st.sampled_from(["X-Request-Id", "X-Api-Key", "Authorization", "Accept", "Content-Type"]),
        st.text(st.characters(codec="latin-1", categories=("L", "N", "P")), max_size=80),
    ),
)
def test_any_address_is_answered_or_refused(
    target: Target,
    path: str,
    query: dict[str, str],
    method: str,
    headers: dict[str, str],
) -> None:
    url = target.client.base_url.copy_with(raw_path=f"/{quote(path)}?{urlencode(query)}".encode())
    encoded_headers = {name: value.encode("latin-1") for name, value in headers.items()}
    response = target.client.request(method, url, headers=encoded_headers)
    if method == "HEAD":
        assert response.status_code < 500
    else:
        check(response)


REFUSED = {
    "svg": "SVG drawings are not read",
    "heic": "HEIC images are not read",
    "text": "this is text, not an image",
    "huge png": "30000 x 30000 pixels, more than",
    "long png": "2147483647 x 1 pixels, more than",
    "nothing": "the image is empty",
}


@pytest.mark.parametrize("name", SEEDS)
def test_each_kind_of_image_is_answered_or_refused_in_words(target: Target, name: str) -> None:
    response = target.send("/classify", files={"image": ("a", SEEDS[name])})
    if name in REFUSED:
        assert REFUSED[name] in response.json()["error"]
    else:
        assert response.status_code == 200


# BentoML answers the two, and does not run here.
DESCRIBED = schemathesis.openapi.from_dict(json.loads(openapi())).exclude(
    path=["/livez", "/readyz"]
)


DESCRIBED.config.checks.negative_data_rejection.expected_statuses = ["4xx"]

for kind in ("application/octet-stream", "image/*"):
    schemathesis.openapi.media_type(kind, images())


@run
@DESCRIBED.parametrize()
def test_what_the_description_promises_is_kept(case: schemathesis.Case, target: Target) -> None:
    case.call_and_validate(
        base_url=str(target.client.base_url),
        # No description can say which bytes are an image.
        excluded_checks=[positive_data_acceptance],
    )


@pytest.mark.parametrize("name", SEEDS)
def test_the_same_image_costs_no_memory_the_second_time(target: Target, name: str) -> None:
    for _ in range(30):
        target.send("/classify", files={"image": ("a", SEEDS[name])})
    before = target.memory()
    for _ in range(150):
        target.send("/classify", files={"image": ("a", SEEDS[name])})
    assert target.memory() - before < 8 * 1024
