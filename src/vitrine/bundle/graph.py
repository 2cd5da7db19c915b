"""The served graph, cut from a trained Keras network by the names of its layers.

A network has one input (images, 0 to 255), the dense layers `style` and `category` that give
logits, the vector `embedding` before them and, unless it is very plain, the feature map `features`
whose mean over the places is the embedding.
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vitrine.bundle.untracked import openvino
from vitrine.core.errors import BundleError, ModelError
from vitrine.core.params import ImageParams
from vitrine.core.taxonomy import HEADS, Head, Taxonomy

REDUCED = ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16")
"""Keras's names of what is computed or stored in 16 bits."""


def load_network(path: Path, image: ImageParams, taxonomy: Taxonomy) -> keras.Model:
    """Return a trained network cut to what is served, before the calibration.

    Args:
        path: The .keras file.
        image: The size that its input must have.
        taxonomy: The labels that its heads must have.

    Returns:
        A float32 model from `image` (n, height, width, 3) uint8 to a dictionary of `embedding`, by
        head the logits and, where there is a feature map, the class-activation maps
        (`<head>_map`; Zhou et al., 2016).

    Raises:
        ModelError: The file cannot be read, or is no network of this form and these sizes.
    """
    network = _load(path)
    shape = (image.height, image.width, 3)
    if tuple(network.inputs[0].shape[1:]) != shape:
        raise ModelError(
            f"{path} takes images of the shape {tuple(network.inputs[0].shape[1:])}, but the "
            f"shards hold {shape}: train it on them with `dvc repro train`"
        )
    heads = [head for head in HEADS if taxonomy.names(head)]
    dense = {head: _head(path, network, head, len(taxonomy.names(head))) for head in heads}
    parts = {name: _layer(path, network, name).output for name in (*heads, "embedding")}
    if mapped := any(layer.name == "features" for layer in network.layers):
        parts["features"] = network.get_layer("features").output
    pixels = keras.Input(shape, dtype="uint8", name="image")
    # training=False is written out: some layers run as in training once they are exported.
    answers = keras.Model(network.inputs[0], parts)(
        keras.ops.cast(pixels, "float32"), training=False
    )
    outputs = {name: answers[name] for name in (*heads, "embedding")}
    if mapped:
        for head, layer in dense.items():
            kernel = keras.ops.convert_to_numpy(layer.kernel)
            outputs[f"{head}_map"] = keras.ops.matmul(answers["features"], kernel)
    return keras.Model(pixels, outputs)


def calibrated(network: keras.Model, temperatures: Mapping[Head, float]) -> keras.Model:
    """Return a cut network whose heads answer probabilities: softmax(logits / temperature)."""
    outputs = dict(network.output)
    for head, temperature in temperatures.items():
        outputs[head] = keras.ops.softmax(outputs[head] / temperature)
    return keras.Model(network.input, outputs)


def write_graph(network: keras.Model, path: Path) -> None:
    """Write a network as OpenVINO IR: `path` (.xml) and, beside it, the weights (.bin).

    Input and outputs keep their names; the batch size stays free.

    Raises:
        BundleError: OpenVINO does not know a part of the network.
    """
    network.predict(np.zeros((1, *network.input_shape[1:]), np.uint8), verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        network.export(folder, format="tf_saved_model", verbose=False)
        # Read directly, not by openvino.convert_model, which reports its use to the vendor.
        try:
            graph = openvino.Core().read_model(folder)
        except RuntimeError as error:
            unknown = re.search(r"No conversion rule found for operations: (.*)", str(error))
            reason = unknown.group(1) if unknown else str(error).strip().splitlines()[-1]
            raise BundleError(
                f"the network cannot be written for OpenVINO, which does not know {reason}; "
                "leave that out of the network"
            ) from None
        openvino.save_model(graph, path, compress_to_fp16=False)


def write_calibrated(graph: Path, temperatures: Mapping[Head, float], path: Path) -> None:
    """Write a graph anew whose heads answer probabilities: softmax(logits / temperature).

    Args:
        graph: The .xml file of a graph whose heads give logits.
        temperatures: By head.
        path: The .xml file to write; the weights go beside it.
    """
    model = openvino.Core().read_model(graph)
    operations = openvino.opset13
    for head, temperature in temperatures.items():
        result = model.output(head).get_node().input(0)
        logits = result.get_source_output()
        scaled = operations.divide(logits, np.float32(temperature))
        probabilities = operations.softmax(scaled, -1).output(0)
        logits.get_tensor().set_names(set())
        probabilities.get_tensor().set_names({head})
        result.replace_source_output(probabilities)
    model.validate_nodes_and_infer_types()
    openvino.save_model(model, path, compress_to_fp16=False)


def _load(path: Path) -> keras.Model:
    try:
        network = keras.saving.load_model(path, compile=False)
    except (ValueError, TypeError, OSError) as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(
            f"{path} cannot be loaded as a Keras model: {first} Make it anew with `dvc repro train`"
        ) from None
    if all(layer.dtype_policy.name == "float32" for layer in network.layers):
        return network
    # Rewritten as a whole: cloning layer by layer leaves 16 bits at the inputs of nested models.
    config = keras.saving.serialize_keras_object(network)
    same = keras.saving.deserialize_keras_object(_in_float32(config))
    same.set_weights(network.get_weights())
    return same


def _in_float32(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: _in_float32(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_in_float32(value) for value in config)
    return "float32" if config in REDUCED else config


def _layer(path: Path, network: keras.Model, name: str) -> keras.Layer:
    try:
        return network.get_layer(name)
    except ValueError:
        raise ModelError(
            f"{path} has no layer named {name!r}: build it with vitrine.models.build"
        ) from None


def _head(path: Path, network: keras.Model, head: Head, classes: int) -> keras.Layer:
    layer = _layer(path, network, head)
    if layer.units != classes:
        raise ModelError(
            f"{path} answers {layer.units} classes of {head}, but the taxonomy of the shards has "
            f"{classes}: train it on them with `dvc repro train`"
        )
    if layer.activation is not keras.activations.linear:
        raise ModelError(
            f"{path}: the layer {head!r} must give logits, but has an activation; remove it there"
        )
    return layer
