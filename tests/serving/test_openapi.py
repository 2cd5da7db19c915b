"""The description says what the routes do, no more and no less."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from starlette.applications import Starlette

from vitrine.serving.app import create_app
from vitrine.serving.examples import EXAMPLES
from vitrine.serving.model import PackagedModel
from vitrine.serving.openapi import openapi
from vitrine.serving.routes import api_routes
from vitrine.serving.settings import Settings

Run = Callable[[Starlette], AbstractContextManager[httpx.Client]]

NOT_OURS = {"/livez", "/readyz"}
"""What BentoML answers."""
UNLISTED = {"/openapi.json", "/docs.json"}


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def promised(document: dict[str, Any], response: httpx.Response) -> None:
    """Check that an answer is as the description says."""
    path, method = response.request.url.path, response.request.method.lower()
    promise = document["paths"][path][method]["responses"][str(response.status_code)]
    for name in promise["headers"]:
        assert name in response.headers
    kind = response.headers["Content-Type"].partition(";")[0]
    schema = promise["content"][kind]["schema"]
    if kind == "application/json":
        components = {"components": document["components"]}
        Draft202012Validator({**schema, **components}).validate(response.json())


def test_every_route_is_described(client: httpx.Client, document: dict[str, Any]) -> None:
    routes = {route.path: route for route in api_routes() if route.path not in UNLISTED}
    assert set(document["paths"]) == {*routes, "/", *NOT_OURS}
    for path, method, _ in operations(document):
        if path in routes:
            assert method.upper() in routes[path].methods
    assert client.get("/").headers["Content-Type"].startswith("text/html")
    assert client.get("/docs.json").json() == document


def test_what_is_answered_is_as_described(
    client: httpx.Client, document: dict[str, Any], jpeg: bytes
) -> None:
    files = {"image": ("a.jpg", jpeg)}
    promised(document, client.post("/classify", files=files))
    promised(document, client.post("/classify_batch", files=[("image", jpeg), ("image", b"x")]))
    promised(document, client.post("/explain", files=files))
    promised(document, client.post("/explain", params={"format": "json"}, files=files))
    promised(document, client.post("/embed", files=files))
    promised(document, client.get("/model"))


@pytest.mark.parametrize("path", ["/classify", "/classify_batch", "/explain", "/embed"])
def test_refusals_are_as_described(
    client: httpx.Client, document: dict[str, Any], path: str
) -> None:
    refused = [
        client.post(path, files={"other": b"x"}),
        client.post(path, json={}),
        client.post(path, files={"image": bytes(200_001)}),
    ]
    if path != "/classify_batch":
        refused.append(client.post(path, files={"image": b"only text"}))
    assert [one.status_code for one in refused] == [400, 415, 413, 422][: len(refused)]
    for response in refused:
        promised(document, response)


def test_the_refusals_of_an_app_that_is_full_or_closed_are_as_described(
    packaged: PackagedModel, run_app: Run, document: dict[str, Any], jpeg: bytes
) -> None:
    settings = Settings(keys="shop:" + "0" * 64)  # type: ignore[arg-type]
    with run_app(create_app(packaged, settings, None)) as client:
        for path, method, operation in operations(document):
            if path in NOT_OURS:
                continue
            response = client.request(method, path)
            assert (response.status_code == 401) == ("401" in operation["responses"])
            if response.status_code == 401:
                assert operation.get("security", document["security"]) == document["security"]
                promised(document, response)
            else:
                assert operation["security"] == []


def test_examples_are_whole(document: dict[str, Any]) -> None:
    for model, example in EXAMPLES.items():
        assert model.model_validate(example).model_dump(mode="json") == example
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            for kind, content in response.get("content", {}).items():
                if kind == "application/json" and path != "/model":
                    assert "example" in content, (path, method, status)
                    schema = {**content["schema"], "components": document["components"]}
                    Draft202012Validator(schema).validate(content["example"])


def test_the_text_is_json_and_names_no_inside() -> None:
    text = openapi()
    json.loads(text)
    for word in ("Traceback", "/work", "site-packages", "starlette", "bentoml"):
        assert word not in text
