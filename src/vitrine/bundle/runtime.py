"""Answers of a bundle: what is measured, compared and served. No TensorFlow."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.compiled import CompiledGraph, chip_name, chip_precisions
from vitrine.bundle.format import GRAPH, BundleInfo, load_info
from vitrine.core.params import Precision
from vitrine.core.taxonomy import Head

Wanted = Literal["auto", "f32", "bf16"]
"""What is asked for: what was chosen at the export, or another precision of the same graph."""


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


class Answering(ABC):
    """A loaded bundle, by whatever runs its network. Safe to call from several threads at once.

    Args:
        folder: The bundle.
        info: Its description.
        precision: What is computed in.
        device: What computes, in words.
    """

    runtime: str
    """The name of what runs the network."""

    def __init__(
        self, folder: Path, info: BundleInfo, *, precision: Precision, device: str
    ) -> None:
        self.folder = folder
        self.info = info
        self.precision = precision
        self.device = device

    def predict(self, images: NDArray[np.uint8]) -> Predictions:
        """Answer for upright RGB images of the bundle's size, (n, height, width, 3) uint8."""
        expected = (self.info.image.height, self.info.image.width, 3)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != expected:
            raise ValueError(
                f"images must be (n, {', '.join(map(str, expected))}) uint8, but got "
                f"{images.shape} {images.dtype}"
            )
        outputs = self._infer(images)
        nothing = np.empty((len(images), 0), np.float32)
        return Predictions(
            style=outputs.get("style", nothing),
            category=outputs.get("category", nothing),
            embedding=outputs["embedding"],
            style_map=outputs.get("style_map"),
            category_map=outputs.get("category_map"),
        )

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

    @abstractmethod
    def _infer(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Return the outputs that the bundle names."""


class Runtime(Answering):
    """A bundle whose graph OpenVINO runs on the CPU.

    Args:
        folder: The bundle.
        threads: CPU threads of one inference; 0 lets OpenVINO choose.
        precision: What to compute in; see `used`.

    Raises:
        BundleError: The folder is no sound bundle, or OpenVINO cannot read its graph.
    """

    runtime = "openvino"

    def __init__(self, folder: Path, *, threads: int = 0, precision: Wanted = "auto") -> None:
        info = load_info(folder)
        computing = used(info, precision)
        super().__init__(folder, info, precision=computing, device=chip_name())
        self._graph = CompiledGraph(folder / GRAPH, computing, threads)

    def _infer(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        return self._graph.infer(images)


def used(info: BundleInfo, wanted: Wanted) -> Precision:
    """Return what this CPU computes a bundle's graph in.

    A graph of integers stays one. Where bf16 is asked for and the chip has none, it is f32.
    """
    if info.computing.precision == "int8":
        return "int8"
    precision = info.computing.precision if wanted == "auto" else wanted
    return precision if precision in chip_precisions() else "f32"
