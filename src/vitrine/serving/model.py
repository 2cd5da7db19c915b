"""A model in BentoML's store, and one that is loaded and has proven itself."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.golden import prove
from vitrine.bundle.runtime import Answering, Runtime
from vitrine.core.errors import ServiceError
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
            ModelError: TensorFlow cannot read its network.
            ServiceError: TensorFlow is asked for, but not installed.
        """
        runtime = self._load(settings)
        prove(runtime)
        image = runtime.info.image
        for count in range(1, settings.batch + 1):
            # A runtime prepares itself anew for each number of images that it has not seen yet.
            runtime.predict(np.zeros((count, image.height, image.width, 3), np.uint8))
        name = ModelName(version=self.version, bundle_digest=runtime.info.digest)
        return LoadedModel(self, runtime, name)

    def _load(self, settings: Settings) -> Answering:
        if settings.runtime == "openvino":
            return Runtime(self.folder, threads=settings.threads, precision=settings.precision)
        try:
            # By name, so that nothing the service imports leads to TensorFlow.
            module = importlib.import_module("vitrine.bundle.tensorflow_runtime")
        except ModuleNotFoundError as error:
            raise ServiceError(
                f"VITRINE_SERVING_RUNTIME: tensorflow needs {error.name}, which is not installed "
                "here; serve from an environment made from requirements/gpu-serve.txt, or unset it"
            ) from None
        return cast(Answering, module.TensorFlowRuntime(self.folder))


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that has proven itself, with all that belongs to its answers.

    Args:
        packaged: Which one.
        runtime: Its bundle, loaded.
        name: What answers say of it.
    """

    packaged: PackagedModel
    runtime: Answering
    name: ModelName

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """Turn the bytes of one encoded image into pixels, (height, width, 3) uint8.

        Raises:
            ImageError: They are no image that can be used.
        """
        return imaging.load(data, self.runtime.info.image, name="image")
