"""A graph becomes one of 8-bit integers, by what passes through it on some images.

Post-training quantisation as of Jacob et al., "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", 2018, done by NNCF.
"""

import contextlib
import io
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.untracked import openvino, untracked
from vitrine.core.errors import BundleError


def quantise(graph: Path, images: NDArray[np.uint8], path: Path) -> None:
    """Write a graph anew with 8-bit weights and activations.

    Args:
        graph: The .xml file of a float graph.
        images: (n, height, width, 3): they show which values occur.
        path: The .xml file to write; the weights go beside it.

    Raises:
        BundleError: NNCF is not installed.
    """
    try:
        with untracked():
            import nncf
    except ModuleNotFoundError:
        raise BundleError(
            "export.precisions names int8, for which NNCF is needed: install it with "
            "`pip install nncf`, or take int8 out"
        ) from None
    nncf.set_log_level(logging.ERROR)
    model = openvino.Core().read_model(graph)
    # OpenVINO cannot compile these as integers.
    maps = [_product(out) for out in model.outputs if out.get_any_name().endswith("_map")]
    sources = nncf.Dataset([image[np.newaxis] for image in images])
    # NNCF shows its bars where there is no terminal, too.
    with contextlib.redirect_stdout(io.StringIO()):
        made = nncf.quantize(
            model,
            sources,
            ignored_scope=nncf.IgnoredScope(names=maps),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(images),
        )
    openvino.save_model(made, path, compress_to_fp16=False)


def _product(output: openvino.Output) -> str:
    """Return the name of the last matrix product that an output is made of."""
    node = output.get_node()
    while node.get_type_name() != "MatMul":
        if not node.get_input_size():
            raise BundleError(
                f"the graph's {output.get_any_name()} is no matrix product, so it cannot be "
                "kept out of the quantisation: take int8 out of export.precisions"
            )
        node = node.input_value(0).get_node()
    return str(node.get_friendly_name())
