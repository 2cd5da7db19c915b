"""Taking over the weights of an earlier model."""

from dataclasses import dataclass
from pathlib import Path

import keras

from vitrine.core.errors import ModelError
from vitrine.core.taxonomy import HEADS


@dataclass(frozen=True, slots=True)
class Transfer:
    """Which layers with weights got those of another model, by name."""

    taken: tuple[str, ...]
    left: tuple[str, ...]


def transfer(model: keras.Model, path: Path) -> Transfer:
    """Copy the weights of every layer that has the same name and shapes in a saved model.

    A head with other classes keeps its fresh weights, and so does a layer of another size.

    Raises:
        ModelError: The file is missing or no Keras model, or no layer of the backbone fits.
    """
    known = {layer.name: layer for layer in _load(path).layers}
    taken, left = [], []
    for layer in model.layers:
        if not layer.weights:
            continue
        source = known.get(layer.name)
        if source is not None and _shapes(source) == _shapes(layer):
            layer.set_weights(source.get_weights())
            taken.append(layer.name)
        else:
            left.append(layer.name)
    if set(taken) <= set(HEADS):
        raise ModelError(
            f"{path}: none of its {len(known)} layers fits the backbone {model.name}; it was made "
            "with another train.backbone: use that one, or set train.weights to none"
        )
    return Transfer(tuple(taken), tuple(left))


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]


def _load(path: Path) -> keras.Model:
    if not path.is_file():
        raise ModelError(
            f"train.weights names {path}, which does not exist; set it to none, imagenet, "
            "champion, or the path of a .keras file"
        )
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{path} is not a Keras model that can be read: {reason}") from error
