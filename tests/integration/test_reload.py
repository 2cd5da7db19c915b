"""The running service takes up what is newly pinned, and loses no request meanwhile."""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from clones import Clone, make_clone
from served import encoded, knocking, pin, post, served, store
from vitrine.bundle.runtime import Runtime

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FIRST, SECOND, DAMAGED = "vitrine:v1-first", "vitrine:v2-second", "vitrine:v3-damaged"
WORKERS = 2
RATE = 20
"""Requests a second."""
PICTURE = encoded("JPEG")


@dataclass(frozen=True)
class Shop:
    """A clone with models in its store, and what they answer for the picture, by digest."""

    clone: Clone
    digests: dict[str, str]
    expected: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def shop(
    make_bundle: Callable[[Path, int], Path], tmp_path_factory: pytest.TempPathFactory
) -> Shop:
    folder = tmp_path_factory.mktemp("reload")
    shop = Shop(make_clone(folder), {}, {})
    for number, tag in enumerate((FIRST, SECOND), 1):
        bundle = make_bundle(folder / f"bundle{number}", number)
        store(shop.clone, tag, bundle, str(number))
        runtime = Runtime(bundle)
        answers = runtime.answer([PICTURE])
        shop.digests[tag] = runtime.info.digest
        shop.expected[runtime.info.digest] = {
            "version": str(number),
            "style": answers.style[0],
            "category": answers.category[0],
        }
    damaged = shutil.copytree(folder / "bundle2", folder / "damaged")
    (damaged / "model.bin").write_bytes(b"other weights")
    store(shop.clone, DAMAGED, damaged, "3")
    pin(shop.clone.path, FIRST)
    return shop


def all_workers(client: httpx.Client, true: Callable[[dict[str, Any]], bool]) -> float:
    """Wait until every worker describes its model as wanted; return the seconds that took."""
    start = time.monotonic()
    told: set[int] = set()
    while time.monotonic() < start + 30:
        card = httpx.get(client.base_url.join("/model"), timeout=30).json()
        if true(card):
            told.add(card["worker"])
        if len(told) == card["workers"]:
            return time.monotonic() - start
        time.sleep(0.02)
    raise AssertionError(f"only {told} of {card['workers']} workers; the last said: {card}")


@contextmanager
def busy(client: httpx.Client) -> Iterator[list[Future[httpx.Response]]]:
    """Send the picture at a steady rate until the block ends: on old and on new connections."""

    def send(number: int) -> httpx.Response:
        if number % 2 == 0:
            return post(client, PICTURE)
        with httpx.Client(base_url=client.base_url, timeout=30) as other:
            return post(other, PICTURE)

    with knocking(send, RATE) as answers:
        yield answers


def check(shop: Shop, answer: httpx.Response) -> str:
    """Check that all of an answer comes from one model; return that model's digest."""
    assert answer.status_code == 200, answer.text
    said = answer.json()
    digest = answer.headers["X-Bundle-Digest"]
    expected = shop.expected[digest]
    assert said["model"] == {"version": expected["version"], "bundle_digest": digest}
    assert answer.headers["X-Model-Version"] == expected["version"]
    for head in ("style", "category"):
        probabilities = list(said[head]["probabilities"].values())
        np.testing.assert_allclose(probabilities, expected[head], atol=1e-5)
    return digest


def test_no_request_is_lost_while_models_change(
    shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    def answers_with(tag: str) -> Callable[[dict[str, Any]], bool]:
        return lambda card: (card["bundle_digest"], card["refused"]) == (shop.digests[tag], None)

    env = shop.clone.env | {"VITRINE_SERVING_WORKERS": str(WORKERS)}
    seconds = []
    with (
        served(folder=shop.clone.path, env=env) as (client, log),
        busy(client) as answers,
    ):
        all_workers(client, answers_with(FIRST))
        for tag in (SECOND, FIRST, SECOND):
            pin(shop.clone.path, tag)
            seconds.append(all_workers(client, answers_with(tag)))
        pin(shop.clone.path, DAMAGED)
        all_workers(client, lambda card: card["refused"] is not None)
        time.sleep(2)
        card = client.get("/model").json()
        assert card["tag"] == SECOND
        assert card["refused"]["tag"] == DAMAGED
        assert "model.bin is damaged" in card["refused"]["reason"]
        for tag in (FIRST, SECOND):
            pin(shop.clone.path, tag)
            seconds.append(all_workers(client, answers_with(tag)))
        after = len(answers)
        time.sleep(1)
    digests = [check(shop, answer.result()) for answer in answers]
    assert set(digests) == set(shop.digests.values())
    assert set(digests[after:]) == {shop.digests[SECOND]}
    refused = [line for line in log.read_text().splitlines() if "was refused" in line]
    assert len(refused) == WORKERS
    record_property("seconds_until_all_workers", seconds)
    shown = ", ".join(f"{one:.1f}" for one in seconds)
    print(f"{len(digests)} requests, none lost; all workers changed after {shown} s")  # noqa: T201


def test_what_a_person_breaks_leaves_the_present_model(shop: Shop) -> None:
    pin(shop.clone.path, FIRST)
    path = shop.clone.path / "bentofile.yaml"
    good = path.read_text(encoding="utf-8")
    with served(folder=shop.clone.path, env=shop.clone.env) as (client, _):
        for text, tag, words in [
            (good.replace("alias: champion}]", ""), None, "is not YAML"),
            (good.replace(FIRST, "vitrine:v9-none"), "vitrine:v9-none", "is not in BentoML's"),
            (good.replace(FIRST, "two words"), "two words", "is no tag of a model: "),
        ]:
            path.write_text(text, encoding="utf-8")
            all_workers(
                client,
                lambda card: (
                    card["refused"] is not None
                    and card["refused"]["tag"] == tag  # noqa: B023
                    and words in card["refused"]["reason"]  # noqa: B023
                ),
            )
            assert check(shop, post(client, PICTURE)) == shop.digests[FIRST]
        path.write_text(good, encoding="utf-8")
        all_workers(client, lambda card: card["refused"] is None)


def test_a_bento_follows_a_bentofile_only_when_told_to(shop: Shop, tmp_path: Path) -> None:
    pin(shop.clone.path, FIRST)
    shop.clone.run("bentoml", "build")
    (tmp_path / "bentofile.yaml").write_text("models: []\n", encoding="utf-8")
    pin(tmp_path, SECOND)
    with served("vitrine-api:latest", folder=tmp_path, env=shop.clone.env) as (client, _):
        time.sleep(2.5)
        card = client.get("/model").json()
        assert (card["tag"], card["refused"]) == (FIRST, None)
    env = shop.clone.env | {"VITRINE_SERVING_FOLLOW": str(tmp_path / "bentofile.yaml")}
    with served("vitrine-api:latest", folder=tmp_path, env=env) as (client, _):
        assert check(shop, post(client, PICTURE)) == shop.digests[SECOND]
        pin(tmp_path, FIRST)
        all_workers(client, lambda card: card["tag"] == FIRST)


def test_the_repository_follows_nothing_when_told_so(shop: Shop) -> None:
    pin(shop.clone.path, FIRST)
    env = shop.clone.env | {"VITRINE_SERVING_FOLLOW": ""}
    with served(folder=shop.clone.path, env=env) as (client, _):
        pin(shop.clone.path, SECOND)
        time.sleep(2.5)
        assert client.get("/model").json()["tag"] == FIRST
