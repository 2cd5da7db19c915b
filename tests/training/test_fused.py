"""The fused kernel computes what Keras's batch normalisation computes, and its gradients."""

from typing import Any

import keras
import numpy as np
import pytest

from vitrine.models import build
from vitrine.training.fused import FusedBatchNormalization, fused


def _network(**options: Any) -> keras.Model:
    image = keras.Input((6, 5, 4), name="image")
    x = keras.layers.BatchNormalization(name="norm", momentum=0.8, **options)(image)
    return keras.Model(image, {"style": keras.layers.Dense(3, name="style")(x)}, name="small")


def _train(model: keras.Model, images: np.ndarray, steps: int) -> list[np.ndarray]:
    model.compile(keras.optimizers.SGD(0.1), loss={"style": keras.losses.MeanSquaredError()})
    for _ in range(steps):
        model.train_on_batch(images, {"style": np.ones((len(images), 6, 5, 3), "float32")})
    return list(model.get_weights())


@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}, {"epsilon": 0.1}])
def test_training_changes_all_weights_alike(options: dict[str, Any]) -> None:
    keras.utils.set_random_seed(1)
    images = np.random.default_rng(1).normal(2, 3, (7, 6, 5, 4)).astype("float32")
    plain = _network(**options)
    quick = fused(plain)
    assert type(quick.get_layer("norm")) is FusedBatchNormalization
    before = plain.get_weights()
    after = _train(plain, images, 5)
    assert all((one != other).any() for one, other in zip(before, after, strict=True))
    for mine, theirs in zip(_train(quick, images, 5), after, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_a_frozen_layer_keeps_its_statistics() -> None:
    images = np.random.default_rng(1).normal(2, 3, (7, 6, 5, 4)).astype("float32")
    quick = fused(_network())
    quick.get_layer("norm").trainable = False
    before = quick.get_layer("norm").get_weights()
    _train(quick, images, 2)
    for mine, theirs in zip(quick.get_layer("norm").get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("backbone", ["small_resnet", "MobileNetV3Small", "ConvNeXtTiny"])
def test_the_clone_is_the_same_network(backbone: str) -> None:
    keras.utils.set_random_seed(1)
    size = (32, 32, 3)
    model = build(
        backbone,
        image_shape=size,
        classes={"style": 2, "category": 3},
        dropout=0.2,
        stochastic_depth=0.0,
    )
    quick = fused(model)
    assert [layer.name for layer in quick.layers] == [layer.name for layer in model.layers]
    images = np.random.default_rng(1).uniform(0, 255, (2, *size)).astype("float32")
    mine, theirs = quick(images, training=False), model(images, training=False)
    assert list(mine) == ["style", "category"]
    for head in mine:
        np.testing.assert_allclose(mine[head], theirs[head], rtol=1e-4, atol=1e-5)
    kinds = {type(layer) for layer in quick.layers}
    assert keras.layers.BatchNormalization not in kinds
