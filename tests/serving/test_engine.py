"""Images of many requests are answered together, each for itself, within bounds."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from vitrine.bundle.runtime import Predictions, Runtime
from vitrine.core.errors import ImageError
from vitrine.serving.answered import Answered
from vitrine.serving.engine import Engine, Overloaded
from vitrine.serving.metrics import Metrics
from vitrine.serving.model import LoadedModel, PackagedModel
from vitrine.serving.settings import Settings


def encoded(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)
    buffer = BytesIO()
    PIL.Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


PICTURES = [encoded(seed) for seed in range(20)]


class Gate:
    """Holds every inference back until it is opened, and notes how many images each is for."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._open = threading.Event()
        self._busy = threading.Event()

    def open(self) -> None:
        self._open.set()

    async def until_busy(self) -> None:
        await asyncio.to_thread(self._busy.wait, 10)

    def predict(self) -> Callable[[Runtime, np.ndarray], Predictions]:
        """The method that takes the place of the runtime's."""

        def predict(runtime: Runtime, images: np.ndarray) -> Predictions:
            self.sizes.append(len(images))
            self._busy.set()
            assert self._open.wait(20)
            return PREDICT(runtime, images)

        return predict


PREDICT = Runtime.predict


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, packaged: PackagedModel) -> Iterator[Gate]:
    gate = Gate()
    monkeypatch.setattr(Runtime, "predict", gate.predict())
    yield gate
    gate.open()


@pytest.fixture(scope="module")
def model(packaged: PackagedModel) -> LoadedModel:
    return packaged.open(Settings())


@pytest.fixture(scope="module")
def other(
    make_bundle: Callable[[Path, int], Path], tmp_path_factory: pytest.TempPathFactory
) -> LoadedModel:
    folder = make_bundle(tmp_path_factory.mktemp("engine") / "export", 3)
    return PackagedModel(folder, "vitrine:v8-fedcba98", "vitrine", "8").open(Settings())


def run(
    model: LoadedModel, work: Callable[[Engine], Awaitable[None]], **settings: Any
) -> dict[str, float]:
    """Let an engine work; return its metrics."""
    metrics = Metrics()

    async def main() -> None:
        with Engine(model, Settings(**settings), metrics) as engine:
            await asyncio.wait_for(work(engine), 30)

    asyncio.run(main())
    lines = [line for line in metrics.render().decode().splitlines() if line[0] != "#"]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def decoded(engine: Engine, count: int) -> None:
    """Wait until so many images wait for the inference."""
    while len(engine._line) < count:
        await asyncio.sleep(0.001)


def check(answered: Answered, source: bytes) -> None:
    expected = PREDICT(answered.model.runtime, answered.pixels[np.newaxis])
    assert answered.data == source
    for head in ("style", "category"):
        np.testing.assert_allclose(
            answered.probabilities(head), expected.probabilities(head)[0], atol=1e-5
        )
        maps = answered.maps(head)
        assert maps is not None
        np.testing.assert_allclose(maps, expected.maps(head)[0], atol=1e-4)
    np.testing.assert_allclose(answered.embedding, expected.embedding[0], atol=1e-5)


def test_what_waits_is_inferred_together_and_each_gets_its_own_answer(
    model: LoadedModel, gate: Gate
) -> None:
    async def work(engine: Engine) -> None:
        first = asyncio.create_task(engine.answer(PICTURES[0]))
        await gate.until_busy()
        rest = [asyncio.create_task(engine.answer(data)) for data in PICTURES[1:14]]
        await decoded(engine, 13)
        gate.open()
        for answered, source in zip(await asyncio.gather(first, *rest), PICTURES[:14], strict=True):
            check(answered, source)
        alone = await engine.answer(PICTURES[19])
        check(alone, PICTURES[19])

    counted = run(model, work, batch=8)
    assert gate.sizes == [1, 8, 5, 1]
    assert counted["vitrine_batch_images_count"] == 4
    assert counted["vitrine_batch_images_sum"] == 15
    assert counted["vitrine_decode_seconds_count"] == 15
    assert counted["vitrine_waiting_images"] == 0


def test_a_bad_image_is_refused_alone(model: LoadedModel, gate: Gate) -> None:
    async def work(engine: Engine) -> None:
        gate.open()
        sources = [PICTURES[0], b"only text", PICTURES[1], PICTURES[2][:200], PICTURES[3]]
        outcomes = await asyncio.gather(
            *(engine.answer(data) for data in sources), return_exceptions=True
        )
        _, together = await engine.answer_each(sources)
        for row in (outcomes, together):
            for outcome, source, words in zip(
                row, sources, [None, "this is text", None, "truncated", None], strict=True
            ):
                if words:
                    assert isinstance(outcome, ImageError)
                    assert words in outcome.reason
                else:
                    assert isinstance(outcome, Answered)
                    check(outcome, source)

    run(model, work)


def test_more_than_may_wait_is_refused_until_there_is_room(model: LoadedModel, gate: Gate) -> None:
    async def work(engine: Engine) -> None:
        taken = [asyncio.create_task(engine.answer(data)) for data in PICTURES[:4]]
        await gate.until_busy()
        with pytest.raises(Overloaded, match="try again in a second"):
            engine.check_room()
        with pytest.raises(Overloaded):
            await engine.answer(PICTURES[4])
        with pytest.raises(Overloaded):
            await engine.answer_each(PICTURES[5:7])
        gate.open()
        await asyncio.gather(*taken)
        engine.check_room()
        check(await engine.answer(PICTURES[4]), PICTURES[4])

    counted = run(model, work, queue=4)
    assert sum(gate.sizes) == 5
    assert counted["vitrine_waiting_images"] == 0


def test_a_batch_is_taken_as_a_whole_or_not_at_all(model: LoadedModel, gate: Gate) -> None:
    async def work(engine: Engine) -> None:
        lone = asyncio.create_task(engine.answer(PICTURES[0]))
        await gate.until_busy()
        with pytest.raises(Overloaded, match="no room for 4 images"):
            await engine.answer_each(PICTURES[1:5])
        gate.open()
        await lone
        # More than may ever wait: only when nothing else does.
        _, answers = await engine.answer_each(PICTURES[1:8])
        for answered, source in zip(answers, PICTURES[1:8], strict=True):
            assert isinstance(answered, Answered)
            check(answered, source)

    run(model, work, queue=4)
    assert sum(gate.sizes) == 8


def test_a_model_that_is_taken_up_meanwhile_answers_only_later_requests(
    model: LoadedModel, other: LoadedModel, gate: Gate
) -> None:
    async def work(engine: Engine) -> None:
        first = asyncio.create_task(engine.answer(PICTURES[0]))
        await gate.until_busy()
        before = [asyncio.create_task(engine.answer(data)) for data in PICTURES[1:4]]
        many = asyncio.create_task(engine.answer_each(PICTURES[4:6]))
        await decoded(engine, 5)
        engine.take_up(other)
        after = [asyncio.create_task(engine.answer(data)) for data in PICTURES[6:9]]
        await decoded(engine, 8)
        gate.open()
        old = await asyncio.gather(first, *before)
        new = await asyncio.gather(*after)
        named, answers = await many
        assert named is model
        assert {one.model for one in [*old, *answers]} == {model}
        assert {one.model for one in new} == {other}
        for answered, source in zip([*old, *answers, *new], PICTURES[:9], strict=True):
            check(answered, source)

    counted = run(model, work)
    assert gate.sizes == [1, 5, 3]
    infos = {name: n for name, n in counted.items() if name.startswith("vitrine_model_info")}
    assert sorted(infos.values()) == [0, 1]


def test_a_replaced_model_leaves_the_memory(packaged: PackagedModel, other: LoadedModel) -> None:
    async def work(engine: Engine) -> None:
        engine.take_up(packaged.open(Settings()))
        old = weakref.ref(engine.model.runtime)
        await engine.answer_each(PICTURES[:3])
        engine.take_up(other)
        while old() is not None:
            gc.collect()
            await asyncio.sleep(0.01)

    run(other, work)


def test_cancelled_requests_leave_nothing_waiting(model: LoadedModel, gate: Gate) -> None:
    async def work(engine: Engine) -> None:
        first = asyncio.create_task(engine.answer(PICTURES[0]))
        await gate.until_busy()
        given_up = [asyncio.create_task(engine.answer(data)) for data in PICTURES[1:3]]
        given_up.append(asyncio.create_task(engine.answer_each(PICTURES[3:5])))
        await decoded(engine, 4)
        for task in [first, *given_up]:
            task.cancel()
        for task in [first, *given_up]:
            with suppress(asyncio.CancelledError):
                await task
        last = asyncio.create_task(engine.answer(PICTURES[5]))
        await decoded(engine, 5)
        gate.open()
        check(await last, PICTURES[5])

    counted = run(model, work, queue=5)
    assert gate.sizes == [1, 1]
    assert counted["vitrine_waiting_images"] == 0


def test_a_fault_of_an_inference_leaves_the_next_ones_unharmed(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of luck")

    async def work(engine: Engine) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Runtime, "predict", broken)
            with pytest.raises(RuntimeError, match="out of luck"):
                await engine.answer(PICTURES[0])
            with pytest.raises(RuntimeError, match="out of luck"):
                await engine.answer_each(PICTURES[:2])
        check(await engine.answer(PICTURES[0]), PICTURES[0])

    run(model, work)


def test_what_waits_at_the_end_is_still_answered(model: LoadedModel) -> None:
    before = threading.active_count()

    async def main() -> None:
        with Engine(model, Settings(), Metrics()) as engine:
            tasks = [asyncio.create_task(engine.answer(data)) for data in PICTURES]
            await asyncio.sleep(0)
        for answered, source in zip(await asyncio.gather(*tasks), PICTURES, strict=True):
            check(answered, source)

    asyncio.run(main())
    assert threading.active_count() == before
