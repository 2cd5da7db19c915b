"""Taking over the weights of an earlier model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from vitrine.core.errors import ModelError
from vitrine.core.taxonomy import HEADS, Head


@dataclass(frozen=True, slots=True)
class Transfer:
    """Which layers with weights began with those of another model.

    Args:
        taken: Their names.
        left: The layers that kept their fresh weights; a head of which only some labels are new,
            with their number.
    """

    taken: tuple[str, ...]
    left: tuple[str, ...]


def transfer(model: keras.Model, path: Path, labels: Mapping[Head, Sequence[int]]) -> Transfer:
    """Copy the weights of every layer that has the same name and shapes in a saved model.

    A layer of another size keeps its fresh weights. Of a head whose labels are known, each label
    gets the weights that the same label had, wherever that stood.

    Args:
        model: What gets the weights; it stays as it is when nothing fits.
        path: The .keras file.
        labels: By head, for every output the place of the same label in the saved model, -1 for a
            new one. A head that is not in it is taken over like any other layer.

    Raises:
        ModelError: The file cannot be read, or no layer of the backbone fits.
    """
    known = {layer.name: layer for layer in _load(path).layers}
    own = [layer for layer in model.layers if layer.weights]
    heads = {one.name: labels[one.name] for one in own if one.name in labels and one.name in known}
    fitting = [one for one in own if one.name not in labels and _fits(known.get(one.name), one)]
    if all(layer.name in HEADS for layer in fitting):
        raise ModelError(
            f"{path}: no layer fits the backbone {model.name}; the file was made with another "
            "train.backbone: use that one, or set train.weights to none"
        )
    for layer in fitting:
        layer.set_weights(known[layer.name].get_weights())
    taken, fresh = {layer.name for layer in fitting}, {}
    for name, places in heads.items():
        found = _take_labels(model.get_layer(name), known[name], places)
        if found:
            taken.add(name)
        if 0 < found < len(places):
            fresh[name] = f"{len(places) - found} of {len(places)} labels of {name}"
    names = [layer.name for layer in own]
    left = [fresh.get(name, name) for name in names if name not in taken or name in fresh]
    return Transfer(tuple(name for name in names if name in taken), tuple(left))


def _take_labels(head: keras.Layer, earlier: keras.Layer, places: Sequence[int]) -> int:
    """Give every label the weights that it had in the earlier head; return of how many."""
    if earlier.kernel.shape[0] != head.kernel.shape[0]:
        return 0
    now, before = np.flatnonzero(np.asarray(places) >= 0), [one for one in places if one >= 0]
    weights = head.get_weights()
    for mine, theirs in zip(weights, earlier.get_weights(), strict=True):
        mine[..., now] = theirs[..., before]
    head.set_weights(weights)
    return len(before)


def _fits(source: keras.Layer | None, layer: keras.Layer) -> bool:
    return source is not None and _shapes(source) == _shapes(layer)


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]


def _load(path: Path) -> keras.Model:
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{path} is not a Keras model that can be read: {reason}") from error
