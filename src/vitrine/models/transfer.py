"""Taking over the weights of an earlier model."""

from dataclasses import dataclass
from pathlib import Path

import keras

from vitrine.core.errors import ModelError
from vitrine.core.taxonomy import HEADS


@dataclass(frozen=True, slots=True)
class Transfer:
    """Which layers with weights began with those of another model.

    Args:
        taken: Their names.
        left: The layers that kept their fresh weights.
    """

    taken: tuple[str, ...]
    left: tuple[str, ...]


def transfer(model: keras.Model, path: Path) -> Transfer:
    """Copy the weights of every layer that has the same name and shapes in a saved model.

    A head with other classes keeps its fresh weights, and so does a layer of another size.

    Args:
        model: What gets the weights; it stays as it is when nothing fits.
        path: The .keras file.

    Raises:
        ModelError: The file cannot be read, or no layer of the backbone fits.
    """
    known = {layer.name: layer for layer in _load(path).layers}
    own = [layer for layer in model.layers if layer.weights]
    fitting = [layer for layer in own if _fits(known.get(layer.name), layer)]
    if all(layer.name in HEADS for layer in fitting):
        raise ModelError(
            f"{path}: no layer fits the backbone {model.name}; the file was made with another "
            "train.backbone: use that one, or set train.weights to none"
        )
    for layer in fitting:
        layer.set_weights(known[layer.name].get_weights())
    taken = tuple(layer.name for layer in fitting)
    return Transfer(taken, tuple(layer.name for layer in own if layer.name not in taken))


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
