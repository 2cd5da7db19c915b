"""A graph of OpenVINO's, ready to run on this CPU."""

from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.untracked import openvino
from vitrine.core.errors import BundleError
from vitrine.core.params import Precision

DEVICE = "CPU"
CAPABILITIES: dict[Precision, str] = {"f32": "FP32", "bf16": "BF16", "int8": "INT8"}
"""OpenVINO's names of what a chip can compute in."""


class CompiledGraph:
    """A compiled graph. Safe to call from several threads at once.

    Args:
        path: The .xml file.
        precision: What it computes in; an int8 graph does what is not quantised in f32.
        threads: CPU threads of one inference; 0 lets OpenVINO choose.

    Raises:
        BundleError: OpenVINO cannot read the graph.
    """

    def __init__(self, path: Path, precision: Precision, threads: int) -> None:
        # Written out, because OpenVINO takes bf16 by itself on the chips that have it.
        hint = "bf16" if precision == "bf16" else "f32"
        settings: dict[str, object] = {"INFERENCE_PRECISION_HINT": hint}
        if threads:
            settings |= {
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "ENABLE_CPU_PINNING": False,
            }
        try:
            self._network = openvino.Core().compile_model(path, DEVICE, settings)
        except RuntimeError as error:
            first = str(error).strip().splitlines()[-1]
            raise BundleError(f"{path} cannot be loaded by OpenVINO: {first}") from None
        self._names = [output.get_any_name() for output in self._network.outputs]
        self._idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()

    def infer(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs by name for images, (n, height, width, 3) uint8."""
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._network.create_infer_request()
        try:
            request.infer({"image": images})
            # Copied: the request's own arrays are overwritten by its next inference.
            return {name: request.get_tensor(name).data.copy() for name in self._names}
        finally:
            self._idle.put(request)


def chip_precisions() -> tuple[Precision, ...]:
    """Return what this CPU computes in faster than by imitation, the exactest first."""
    there = openvino.Core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")
    return tuple(precision for precision, name in CAPABILITIES.items() if name in there)


def chip_name() -> str:
    """Return how this CPU calls itself."""
    return str(openvino.Core().get_property(DEVICE, "FULL_DEVICE_NAME"))
