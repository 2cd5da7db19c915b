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
from vitrine.serving.schemas import Classification, HeadAnswer, ModelCard, ModelName
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

    def open(self, settings: Settings) -> Runtime:
        """Load the bundle and let it prove its golden answers, which also warms it up.

        Raises:
            BundleError: It is damaged, or does not answer as it did when it was exported.
        """
        runtime = Runtime(self.folder, threads=settings.threads, precision=settings.precision)
        prove(runtime)
        return runtime


class Classifier:
    """Answers for one image after the other; each is decoded and checked before it is inferred.

    Args:
        model: What is served.
        settings: How.

    Raises:
        BundleError: The model cannot be loaded or does not prove its golden answers.
    """

    def __init__(self, model: PackagedModel, settings: Settings) -> None:
        self._runtime = model.open(settings)
        self._decoders = anyio.CapacityLimiter(DECODERS)
        self._inference = anyio.CapacityLimiter(1)
        info = self._runtime.info
        self._name = ModelName(version=model.version, bundle_digest=info.digest)
        self.card = ModelCard(
            name=model.name,
            version=model.version,
            tag=model.tag,
            bundle_digest=info.digest,
            image=info.image,
            taxonomy=info.taxonomy,
            lineage=info.lineage,
        )

    async def classify(self, data: bytes) -> Classification:
        """Answer for the bytes of one encoded image.

        Raises:
            ImageError: They are no image that can be used.
        """
        pixels = await anyio.to_thread.run_sync(self._decode, data, limiter=self._decoders)
        predictions = await anyio.to_thread.run_sync(
            self._runtime.predict, pixels[np.newaxis], limiter=self._inference
        )
        return Classification(
            style=self._answer("style", predictions),
            category=self._answer("category", predictions),
            model=self._name,
        )

    def _decode(self, data: bytes) -> NDArray[np.uint8]:
        return imaging.load(data, self._runtime.info.image, name="image")

    def _answer(self, head: Head, predictions: Predictions) -> HeadAnswer | None:
        names = self._runtime.info.taxonomy.names(head)
        return HeadAnswer.of(names, predictions.probabilities(head)[0]) if names else None
