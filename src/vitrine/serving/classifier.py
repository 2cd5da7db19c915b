"""From the bytes of one image to the answer about it, without blocking the event loop."""

from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.golden import prove
from vitrine.bundle.runtime import Predictions, Runtime
from vitrine.core.taxonomy import Head
from vitrine.serving.schemas import Classification, HeadAnswer, ModelName, Refusal
from vitrine.serving.settings import Settings

DECODERS = 2
"""Images of one worker that are decoded at the same time: a large one must not stop the small ones,
and the memory for pixels stays bounded."""


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model in BentoML's store.

    Args:
        folder: The bundle.
        tag: The model's tag in the store.
        name: The registered model in MLflow.
        version: Its version there.
    """

    folder: Path
    tag: str
    name: str
    version: str

    def open(self, settings: Settings) -> "LoadedModel":
        """Load the bundle and let it prove its golden answers, which also warms it up.

        Raises:
            BundleError: It is damaged, or does not answer as it did when it was exported.
        """
        runtime = Runtime(self.folder, threads=settings.threads, precision=settings.precision)
        prove(runtime)
        return LoadedModel(self, runtime)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that has proven itself, with all that belongs to its answers.

    Args:
        packaged: Which one.
        runtime: Its bundle, loaded.
    """

    packaged: PackagedModel
    runtime: Runtime

    @property
    def name(self) -> ModelName:
        """Which model answers."""
        return ModelName(version=self.packaged.version, bundle_digest=self.runtime.info.digest)

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """Turn the bytes of one encoded image into pixels, (height, width, 3) uint8.

        Raises:
            ImageError: They are no image that can be used.
        """
        return imaging.load(data, self.runtime.info.image, name="image")

    def answer(self, pixels: NDArray[np.uint8]) -> Classification:
        """Answer for the pixels of one image."""
        predictions = self.runtime.predict(pixels[np.newaxis])
        return Classification(
            style=self._head("style", predictions),
            category=self._head("category", predictions),
            model=self.name,
        )

    def _head(self, head: Head, predictions: Predictions) -> HeadAnswer | None:
        names = self.runtime.info.taxonomy.names(head)
        return HeadAnswer.of(names, predictions.probabilities(head)[0]) if names else None


class Classifier:
    """Answers for one image after the other; each is decoded and checked before it is inferred.

    Another model may be put into `model` at any time: each answer comes from one alone. `refused`
    tells what should answer instead but did not come up.

    Args:
        model: What answers.
    """

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.refused: Refusal | None = None
        self._decoders = anyio.CapacityLimiter(DECODERS)
        self._inference = anyio.CapacityLimiter(1)

    async def classify(self, data: bytes) -> Classification:
        """Answer for the bytes of one encoded image.

        Raises:
            ImageError: They are no image that can be used.
        """
        model = self.model
        pixels = await anyio.to_thread.run_sync(model.decode, data, limiter=self._decoders)
        return await anyio.to_thread.run_sync(model.answer, pixels, limiter=self._inference)
