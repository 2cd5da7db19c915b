"""A model in BentoML's store, and one that is loaded and has proven itself."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.golden import prove
from vitrine.bundle.runtime import Runtime
from vitrine.serving.schemas import ModelName
from vitrine.serving.settings import Settings


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
        """Load the bundle, let it prove its golden answers, and warm it up.

        Raises:
            BundleError: It is damaged, or does not answer as it did when it was exported.
        """
        runtime = Runtime(self.folder, threads=settings.threads, precision=settings.precision)
        prove(runtime)
        image = runtime.info.image
        for count in range(1, settings.batch + 1):
            # OpenVINO prepares itself anew for each number of images that it has not seen yet.
            runtime.predict(np.zeros((count, image.height, image.width, 3), np.uint8))
        name = ModelName(version=self.version, bundle_digest=runtime.info.digest)
        return LoadedModel(self, runtime, name)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that has proven itself, with all that belongs to its answers.

    Args:
        packaged: Which one.
        runtime: Its bundle, loaded.
        name: What answers say of it.
    """

    packaged: PackagedModel
    runtime: Runtime
    name: ModelName

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """Turn the bytes of one encoded image into pixels, (height, width, 3) uint8.

        Raises:
            ImageError: They are no image that can be used.
        """
        return imaging.load(data, self.runtime.info.image, name="image")
