"""Answers of a bundle by OpenVINO: what is measured, compared and served. No TensorFlow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

import numpy as np
import openvino
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.format import GRAPH, load_info
from vitrine.core.errors import BundleError
from vitrine.core.taxonomy import Head

Precision = Literal["f32", "bf16"]


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a bundle answers for n images.

    Args:
        style: Calibrated probabilities, (n, styles) float32; no column when the taxonomy has none.
        category: Calibrated probabilities, (n, categories) float32.
        embedding: The vector before the heads, (n, size) float32.
        style_map: How much each place of the image speaks for each style, (n, height, width,
            styles) float32: class-activation maps (Zhou et al., 2016), whose mean over the places
            is the logit without its bias. None for a network without a feature map.
        category_map: The same for the categories.
    """

    style: NDArray[np.float32]
    category: NDArray[np.float32]
    embedding: NDArray[np.float32]
    style_map: NDArray[np.float32] | None
    category_map: NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.embedding)

    def probabilities(self, head: Head) -> NDArray[np.float32]:
        """Return the probabilities of a head, (n, classes)."""
        return self.style if head == "style" else self.category

    def maps(self, head: Head) -> NDArray[np.float32] | None:
        """Return the class-activation maps of a head, (n, height, width, classes), or None."""
        return self.style_map if head == "style" else self.category_map


class Runtime:
    """A loaded bundle. Safe to call from several threads at once.

    Args:
        folder: The bundle.
        threads: CPU threads of one inference; 0 lets OpenVINO choose.
        precision: What the CPU computes in; bf16 where the chip has it, else f32 is used.

    Raises:
        BundleError: The folder is no sound bundle, or OpenVINO cannot read its graph.
    """

    def __init__(self, folder: Path, *, threads: int = 0, precision: Precision = "f32") -> None:
        self.folder = folder
        self.info = load_info(folder)
        self.precision: Precision = precision
        # Written out, because OpenVINO takes bf16 by itself on the chips that have it.
        settings: dict[str, object] = {"INFERENCE_PRECISION_HINT": precision}
        if threads:
            settings |= {
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "ENABLE_CPU_PINNING": False,
            }
        try:
            self._network = openvino.Core().compile_model(folder / GRAPH, "CPU", settings)
        except RuntimeError as error:
            first = str(error).strip().splitlines()[-1]
            raise BundleError(f"{folder / GRAPH} cannot be loaded by OpenVINO: {first}") from None
        self._idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()

    def predict(self, images: NDArray[np.uint8]) -> Predictions:
        """Answer for upright RGB images of the bundle's size, (n, height, width, 3) uint8."""
        expected = (self.info.image.height, self.info.image.width, 3)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != expected:
            raise ValueError(
                f"images must be (n, {', '.join(map(str, expected))}) uint8, but got "
                f"{images.shape} {images.dtype}"
            )
        return self._predictions(self._infer(images), len(images))

    def answer(self, sources: Sequence[bytes]) -> Predictions:
        """Answer for encoded images, each the bytes of one file.

        Raises:
            ImageError: One of them cannot be used; it is named by its place, counted from 1.
        """
        pixels = [
            imaging.load(source, self.info.image, name=f"image {number}")
            for number, source in enumerate(sources, 1)
        ]
        return self.predict(np.stack(pixels))

    def _infer(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._network.create_infer_request()
        try:
            request.infer({"image": images})
            # Copied: the request's own arrays are overwritten by its next inference.
            return {name: request.get_tensor(name).data.copy() for name in self.info.outputs}
        finally:
            self._idle.put(request)

    def _predictions(self, outputs: Mapping[str, NDArray[np.float32]], count: int) -> Predictions:
        nothing = np.empty((count, 0), np.float32)
        return Predictions(
            style=outputs.get("style", nothing),
            category=outputs.get("category", nothing),
            embedding=outputs["embedding"],
            style_map=outputs.get("style_map"),
            category_map=outputs.get("category_map"),
        )
