"""The pin is followed: a good model is taken up, anything else leaves the present one answering."""

import gc
import logging
import os
import shutil
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import ServiceError
from vitrine.core.files import write_text
from vitrine.serving import follower as module
from vitrine.serving.app import create_app
from vitrine.serving.engine import Engine
from vitrine.serving.follower import Follower, Pin
from vitrine.serving.metrics import Metrics
from vitrine.serving.model import PackagedModel
from vitrine.serving.settings import Settings

Run = Callable[[Starlette], AbstractContextManager[httpx.Client]]

OLD = "vitrine:v7-0123abcd"
NEW = "vitrine:v8-fedcba98"
BROKEN = "vitrine:v9-00000000"


@dataclass
class Place:
    """A bentofile and the models that its tags stand for."""

    path: Path
    store: dict[str, PackagedModel]
    asked: list[str] = field(default_factory=list)

    def write(self, tag: str) -> None:
        write_text(self.path, f'models: [{{tag: "{tag}", alias: champion}}]\n')

    def resolve(self, tag: str) -> PackagedModel | None:
        self.asked.append(tag)
        return self.store.get(tag)


@pytest.fixture(scope="module")
def other(
    make_bundle: Callable[[Path, int], Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return make_bundle(tmp_path_factory.mktemp("other") / "export", 2)


@pytest.fixture
def place(packaged: PackagedModel, other: Path, tmp_path: Path) -> Place:
    damaged = tmp_path / "damaged"
    shutil.copytree(other, damaged)
    (damaged / "model.bin").write_bytes(b"other weights")
    store = {
        OLD: packaged,
        NEW: PackagedModel(other, NEW, "vitrine", "8"),
        BROKEN: PackagedModel(damaged, BROKEN, "vitrine", "9"),
    }
    place = Place(tmp_path / "bentofile.yaml", store)
    place.write(OLD)
    return place


@pytest.fixture
def engine(packaged: PackagedModel) -> Engine:
    return Engine(packaged.open(Settings()), Settings(), Metrics())


@pytest.fixture
def follower(place: Place, engine: Engine) -> Follower:
    follower = Follower(Pin(place.path, place.resolve), engine, Settings())
    follower.look()
    return follower


def test_what_is_pinned_is_taken_up_and_the_old_one_is_freed(
    place: Place, engine: Engine, follower: Follower
) -> None:
    old = weakref.ref(engine.model.runtime)
    place.write(NEW)
    follower.look()
    assert engine.model.packaged == place.store[NEW]
    assert engine.refused is None
    gc.collect()
    assert old() is None


def test_a_file_that_has_not_changed_costs_nothing(
    place: Place, engine: Engine, follower: Follower
) -> None:
    present = engine.model
    follower.look()
    place.write(OLD)
    follower.look()
    assert engine.model is present
    assert place.asked == []


BREAK: dict[str, tuple[Callable[[Place], object], str | None, str]] = {
    "missing": (lambda p: p.write("vitrine:v10-1"), "vitrine:v10-1", "is not in BentoML's store"),
    "damaged": (lambda p: p.write(BROKEN), BROKEN, r"model.bin is damaged"),
    "half": (lambda p: p.path.write_text("models: [{tag"), None, "is not YAML"),
    "removed": (lambda p: p.path.unlink(), None, "cannot be read: No such file"),
    "unpinned": (lambda p: p.path.write_text("models: []"), None, "pins no model; run `vitrine"),
}


@pytest.mark.parametrize("how", BREAK)
def test_what_cannot_be_taken_up_is_said_once_and_the_old_one_answers_on(
    place: Place,
    engine: Engine,
    follower: Follower,
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    present = engine.model
    break_it, tag, words = BREAK[how]
    break_it(place)
    for _ in range(3):
        follower.look()
    assert engine.model is present
    assert engine.refused is not None
    assert engine.refused.tag == tag
    assert words in engine.refused.reason
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.message.startswith(f"{OLD} still answers, what is pinned was refused: ")
    assert words in record.message
    assert record.exc_info is None

    place.write(OLD)
    follower.look()
    assert engine.refused is None
    assert engine.model is present
    place.write(NEW)
    follower.look()
    assert engine.model.packaged.tag == NEW


def test_a_broken_model_is_tried_again_when_the_file_is_touched(
    place: Place, engine: Engine, follower: Follower, other: Path
) -> None:
    place.write(BROKEN)
    follower.look()
    shutil.copyfile(other / "model.bin", place.store[BROKEN].folder / "model.bin")
    follower.look()
    assert engine.refused is not None
    os.utime(place.path)
    follower.look()
    assert engine.refused is None
    assert engine.model.packaged.tag == BROKEN


def test_a_missing_model_is_tried_again_by_itself(
    place: Place, engine: Engine, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = place.store.pop(NEW)
    place.write(NEW)
    follower.look()
    follower.look()
    assert place.asked == [NEW]
    place.store[NEW] = new
    later = time.monotonic() + module.RETRY_SECONDS
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    follower.look()
    assert engine.refused is None
    assert engine.model.packaged == new


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ServiceError("a wrong tag")])
def test_a_fault_of_the_resolver_is_a_refusal_too(
    place: Place, engine: Engine, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def resolve(tag: str) -> None:
        raise error

    follower = Follower(Pin(place.path, resolve), engine, Settings())
    place.write(NEW)
    follower.look()
    assert engine.refused is not None
    assert str(error) in engine.refused.reason
    shown = [record for record in caplog.records if record.exc_info]
    assert bool(shown) == isinstance(error, RuntimeError)


def until(client: httpx.Client, true: Callable[[dict[str, object]], bool]) -> dict[str, object]:
    """Ask for the model until it is as wanted."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if true(card := client.get("/model").json()):
            return card
        time.sleep(0.01)
    raise AssertionError(card)


def test_requests_meanwhile_are_all_answered_by_one_model_each(
    place: Place,
    packaged: PackagedModel,
    jpeg: bytes,
    run_app: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    expected = {}
    for tag in (OLD, NEW):
        runtime = Runtime(place.store[tag].folder)
        probabilities = runtime.answer([jpeg]).style[0]
        expected[runtime.info.digest] = (place.store[tag].version, probabilities)
    app = create_app(packaged, Settings(workers=1), Pin(place.path, place.resolve))
    with run_app(app) as client, ThreadPoolExecutor(4) as pool:
        stop = False

        def ask() -> list[httpx.Response]:
            answers = []
            while not stop:
                answers.append(client.post("/classify", files={"image": ("a.jpg", jpeg)}))
            return answers

        asking = [pool.submit(ask) for _ in range(4)]
        for tag in (NEW, BROKEN, OLD, NEW, OLD, NEW):
            place.write(tag)
            until(client, lambda card: (card["refused"] or card)["tag"] == tag)  # noqa: B023
        stop = True
        answers = [answer for one in asking for answer in one.result()]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["X-Bundle-Digest"] for answer in answers} == set(expected)
    for answer in answers:
        version, probabilities = expected[answer.headers["X-Bundle-Digest"]]
        said = answer.json()
        assert answer.headers["X-Model-Version"] == version == said["model"]["version"]
        assert said["model"]["bundle_digest"] == answer.headers["X-Bundle-Digest"]
        assert list(said["style"]["probabilities"].values()) == pytest.approx(
            probabilities, abs=1e-5
        )


def test_a_refusal_is_told_by_the_model_route(
    place: Place, packaged: PackagedModel, run_app: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    app = create_app(packaged, Settings(workers=1), Pin(place.path, place.resolve))
    with run_app(app) as client:
        assert client.get("/model").json()["refused"] is None
        place.write(BROKEN)
        card = until(client, lambda card: card["refused"] is not None)
        assert card["tag"] == OLD
        assert card["refused"]["tag"] == BROKEN
        assert "model.bin is damaged" in card["refused"]["reason"]
        place.write(OLD)
        until(client, lambda card: card["refused"] is None)


def test_what_is_pinned_answers_from_the_first_request_on(
    place: Place, packaged: PackagedModel, run_app: Run
) -> None:
    place.write(NEW)
    app = create_app(packaged, Settings(workers=1), Pin(place.path, place.resolve))
    with run_app(app) as client:
        assert client.get("/model").json()["tag"] == NEW


def test_following_ends_with_the_app(
    place: Place, packaged: PackagedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    app = create_app(packaged, Settings(workers=1), Pin(place.path, place.resolve))

    async def start_and_stop() -> None:
        async with app.router.lifespan_context(app):
            pass
        place.write(NEW)
        await anyio.sleep(0.1)

    anyio.run(start_and_stop)
    assert place.asked == []
