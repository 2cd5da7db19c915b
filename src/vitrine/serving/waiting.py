"""Decoded images that wait for the next inference."""

import asyncio
from collections import deque
from dataclasses import dataclass
from threading import Condition

import numpy as np
from numpy.typing import NDArray

from vitrine.serving.answered import Answered
from vitrine.serving.model import LoadedModel


@dataclass(frozen=True, slots=True)
class WaitingImage:
    """A decoded image on its way to its answer.

    Args:
        model: What is to answer.
        data: The encoded image.
        pixels: The image as the network sees it, (height, width, 3) uint8.
        decode_seconds: What decoding took.
        answer: Where the answer goes; may be cancelled meanwhile.
    """

    model: LoadedModel
    data: bytes
    pixels: NDArray[np.uint8]
    decode_seconds: float
    answer: asyncio.Future[Answered]


class Line:
    """Images in the order in which they came, put in by several threads and taken out by one."""

    def __init__(self) -> None:
        self._images: deque[WaitingImage] = deque()
        self._closed = False
        self._changed = Condition()

    def __len__(self) -> int:
        return len(self._images)

    def put(self, image: WaitingImage) -> None:
        """Let an image wait."""
        with self._changed:
            self._images.append(image)
            self._changed.notify()

    def close(self) -> None:
        """Let nobody wait for images any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self, most: int) -> list[WaitingImage]:
        """Take the first images that are for the same model, as many as wait, at most so many.

        Waits for the first. Images whose answer nobody wants any more are dropped. None is
        returned only when the line is closed and empty.
        """
        with self._changed:
            while True:
                batch = self._first(most)
                if batch or self._closed:
                    return batch
                self._changed.wait()

    def _first(self, most: int) -> list[WaitingImage]:
        batch: list[WaitingImage] = []
        while self._images and len(batch) < most:
            if batch and self._images[0].model is not batch[0].model:
                break
            image = self._images.popleft()
            if not image.answer.cancelled():
                batch.append(image)
        return batch
