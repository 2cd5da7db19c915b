"""From the bytes of images to answers about them: decoded by a few threads, inferred together."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread
from typing import Self, TypeVar

import numpy as np

from vitrine.core.errors import ImageError, VitrineError
from vitrine.serving.answered import Answered
from vitrine.serving.metrics import Metrics
from vitrine.serving.model import LoadedModel
from vitrine.serving.schemas import Refusal
from vitrine.serving.settings import Settings
from vitrine.serving.waiting import Line, WaitingImage

T = TypeVar("T")
Answer = asyncio.Future[Answered]

DECODERS = 2
"""Images of one worker that are decoded at the same time: a large one must not stop the small ones,
and the memory for pixels stays bounded."""


class Overloaded(VitrineError):
    """As many images wait as may; the request is to be tried again."""


class Engine:
    """Answers for the images of many requests at once, in memory and time that are bounded.

    Each image is decoded first, so that a bad one is refused alone. One thread infers: it takes
    whatever waits, together and at once; no image waits for others to come.

    Another model may be taken up at any time: each request is answered by one alone. `refused`
    tells what should answer instead but did not come up. The engine answers while it is entered as
    a context, on the event loop where that was done.

    Args:
        model: What answers.
        settings: How many images may wait, and how many are inferred together.
        metrics: Count it all.
    """

    def __init__(self, model: LoadedModel, settings: Settings, metrics: Metrics) -> None:
        self.refused: Refusal | None = None
        self._room = settings.queue
        self._batch = settings.batch
        self._metrics = metrics
        self._taken = 0
        self.take_up(model)
        self._decoders = ThreadPoolExecutor(DECODERS, "decode")
        self._line = Line()
        self._inference = Thread(target=self._infer_all, name="inference", daemon=True)

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._inference.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._decoders.shutdown()
        self._line.close()
        self._inference.join()

    def take_up(self, model: LoadedModel) -> None:
        """Answer by another model from the next request on. May be called from any thread."""
        self.model = model
        self._metrics.model(model.name.version, model.name.bundle_digest)

    def check_room(self) -> None:
        """Make sure that another image may come, before anything is done for it.

        Raises:
            Overloaded: As many wait as may.
        """
        if self._taken >= self._room:
            raise Overloaded("more images wait than can be answered soon; try again in a second")

    async def answer(self, data: bytes) -> Answered:
        """Answer for the bytes of one encoded image.

        Raises:
            ImageError: They are no image that can be used.
            Overloaded: As many images wait as may.
        """
        with self._places(1):
            return await self._send(self.model, data)

    async def answer_each(
        self, sources: Sequence[bytes]
    ) -> tuple[LoadedModel, list[Answered | ImageError]]:
        """Answer for encoded images, or say of each why it cannot be used.

        Returns:
            The model, one for all, and the outcomes in the order of the images.

        Raises:
            Overloaded: There is no room for all of them. More than may ever wait are taken when
                nothing else does.
        """
        model = self.model
        with self._places(len(sources)):
            sent = [self._send(model, data) for data in sources]
            outcomes = await asyncio.gather(*sent, return_exceptions=True)
        answers: list[Answered | ImageError] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, ImageError):
                raise outcome
            answers.append(outcome)
        return model, answers

    async def aside(self, work: Callable[[], T]) -> T:
        """Do other work on pixels in the decoders' threads, off the event loop."""
        return await self._loop.run_in_executor(self._decoders, work)

    @contextmanager
    def _places(self, count: int) -> Iterator[None]:
        self.check_room()
        if self._taken and self._taken + count > self._room:
            raise Overloaded(f"there is no room for {count} images now; try again in a second")
        self._take(count)
        try:
            yield
        finally:
            self._take(-count)

    def _take(self, count: int) -> None:
        self._taken += count
        self._metrics.waiting(self._taken)

    def _send(self, model: LoadedModel, data: bytes) -> Answer:
        answer: Answer = self._loop.create_future()
        self._decoders.submit(self._decode, model, data, answer)
        return answer

    def _decode(self, model: LoadedModel, data: bytes, answer: Answer) -> None:
        if answer.cancelled():
            return
        start = time.perf_counter()
        try:
            pixels = model.decode(data)
        except Exception as error:
            self._loop.call_soon_threadsafe(_fail, [answer], error)
            return
        seconds = time.perf_counter() - start
        self._metrics.decoded(seconds)
        self._line.put(WaitingImage(model, data, pixels, seconds, answer))

    def _infer_all(self) -> None:
        # No name may hold a batch while the next is waited for: with it, a model that has been
        # replaced would stay in memory.
        while self._infer(self._line.take(self._batch)):
            pass

    def _infer(self, batch: Sequence[WaitingImage]) -> bool:
        if not batch:
            return False
        start = time.perf_counter()
        try:
            predictions = batch[0].model.runtime.predict(np.stack([one.pixels for one in batch]))
        except Exception as error:
            self._loop.call_soon_threadsafe(_fail, [one.answer for one in batch], error)
            return True
        seconds = time.perf_counter() - start
        self._metrics.batch(len(batch))
        self._metrics.inferred(seconds)
        answers = [
            Answered(
                one.model, one.data, one.pixels, predictions, place, one.decode_seconds, seconds
            )
            for place, one in enumerate(batch)
        ]
        self._loop.call_soon_threadsafe(_settle, [one.answer for one in batch], answers)
        return True


def _settle(futures: Sequence[Answer], answers: Sequence[Answered]) -> None:
    for future, answered in zip(futures, answers, strict=True):
        if not future.done():
            future.set_result(answered)


def _fail(futures: Sequence[Answer], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
