"""In which precision a network is trained on the device that is there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import keras
import tensorflow as tf

Precision = Literal["auto", "float32", "bfloat16"]

FASTER_IN_BFLOAT16 = ("simple_cnn", "small_resnet", "ResNet50", "VGG16")
"""Backbones that TensorFlow's automatic bfloat16 was measured to speed up on a CPU, by 1.3 to 1.9
times; it slows MobileNetV3."""


@contextmanager
def computing(precision: Precision, backbone: str) -> Iterator[str]:
    """Train in a precision inside the block; the weights themselves are float32 throughout.

    On a GPU that is Keras's mixed policy. On a CPU it is TensorFlow's graph rewriter, which turns
    only those operations to bfloat16 that gain from it; a mixed policy is slower there.

    Args:
        precision: `auto` takes 16 bits where that is faster.
        backbone: The network.

    Yields:
        What was chosen, in words.
    """
    policy, rewriting = _choose(precision, backbone)
    before = keras.config.dtype_policy()
    # TensorFlow starts with what is set by then, and would rewrite more than what is set later on:
    # the same training would differ by whether it is the first thing that a process does.
    tf.config.list_logical_devices()
    keras.config.set_dtype_policy(policy)
    _rewrite(rewriting)
    try:
        yield "bfloat16 by rewriting" if rewriting else policy
    finally:
        keras.config.set_dtype_policy(before)
        _rewrite(False)


def _choose(precision: Precision, backbone: str) -> tuple[str, bool]:
    if precision == "float32":
        return "float32", False
    if gpus := tf.config.list_physical_devices("GPU"):
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability")
        return gpu_policy(precision, capability or (0, 0)), False
    if precision == "bfloat16":
        return "float32", True
    return "float32", backbone in FASTER_IN_BFLOAT16 and cpu_has_bfloat16()


def gpu_policy(precision: Precision, capability: tuple[int, int]) -> str:
    """Return the Keras policy for a GPU of some compute capability: 8.0 brought bfloat16."""
    if precision == "bfloat16" or capability >= (8, 0):
        return "mixed_bfloat16"
    return "mixed_float16" if capability >= (7, 0) else "float32"


def cpu_has_bfloat16(description: Path = Path("/proc/cpuinfo")) -> bool:
    """Say whether the CPU multiplies bfloat16 itself; False where that cannot be found out."""
    try:
        return re.search(r"\b(avx512_bf16|amx_bf16)\b", description.read_text()) is not None
    except OSError:
        return False


def _rewrite(wanted: bool) -> None:
    tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": wanted})
