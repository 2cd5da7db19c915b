"""Answers of a bundle by TensorFlow, for NVIDIA GPUs: the Keras network, compiled by XLA."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vitrine.bundle.format import NETWORK, load_info
from vitrine.bundle.graph import calibrated, load_network
from vitrine.bundle.runtime import Answering


class TensorFlowRuntime(Answering):
    """A bundle whose Keras network TensorFlow runs, on the first GPU where there is one.

    It computes in f32, whatever the graph for CPUs does. XLA compiles the network anew for each
    number of images, so they are filled up to a power of two. A GPU's memory is taken as it is
    needed, because several processes may share it.

    Args:
        folder: The bundle.

    Raises:
        BundleError: The folder is no sound bundle.
        ModelError: Keras cannot read its network.
    """

    runtime = "tensorflow"

    def __init__(self, folder: Path) -> None:
        info = load_info(folder)
        gpus = tf.config.list_physical_devices("GPU")
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        # A GPU would round every factor to 10 bits, and the golden answers would be missed.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        super().__init__(folder, info, precision="f32", device=_name(gpus))
        network = load_network(folder / NETWORK, info.image, info.taxonomy)
        network = calibrated(network, info.calibration)
        self._call = tf.function(lambda images: network(images, training=False), jit_compile=True)

    def _infer(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        count = len(images)
        filled = np.zeros((1 << (count - 1).bit_length(), *images.shape[1:]), np.uint8)
        filled[:count] = images
        outputs = self._call(tf.constant(filled))
        return {name: output.numpy()[:count] for name, output in outputs.items()}


def _name(gpus: list[tf.config.PhysicalDevice]) -> str:
    if not gpus:
        return "CPU"
    details = tf.config.experimental.get_device_details(gpus[0])
    return str(details.get("device_name", "GPU"))
