"""Every backbone builds, keeps the layers that others address, and normalises as it should."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import keras
import numpy as np
import pytest

from vitrine.core.errors import ModelError
from vitrine.models import BACKBONES, build
from vitrine.models.applications import APPLICATIONS

CLASSES = {"style": 2, "category": 3}
LIGHT = ("simple_cnn", "small_resnet")


def _build(backbone: str, size: int = 32, **changes: Any) -> keras.Model:
    options = {"image_shape": (size, size, 3), "classes": CLASSES, "dropout": 0.2, **changes}
    return build(backbone, **options)


def _images(size: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 255, (2, size, size, 3)).astype("float32")


@pytest.mark.parametrize(
    "backbone", [b if b in LIGHT else pytest.param(b, marks=pytest.mark.slow) for b in BACKBONES]
)
def test_a_backbone_answers_for_both_heads_and_survives_saving(
    backbone: str, tmp_path: Path
) -> None:
    size = 75 if backbone == "InceptionV3" else 32
    model = _build(backbone, size)
    # Called: `predict` would compile the network, for two images.
    answers = model(_images(size), training=False)
    assert {head: logits.shape for head, logits in answers.items()} == {
        "style": (2, 2),
        "category": (2, 3),
    }
    assert model.input.name == "image"
    assert len(model.get_layer("embedding").output.shape) == 2
    has_map = any(layer.name == "features" for layer in model.layers)
    assert has_map == (backbone != "simple_cnn")
    if has_map:
        assert len(model.get_layer("features").output.shape) == 4
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.models.load_model(path)(_images(size), training=False)
    for head in CLASSES:
        np.testing.assert_allclose(again[head], answers[head], rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "preprocess"),
    [
        ("ResNet50", keras.applications.resnet50.preprocess_input),
        ("VGG16", keras.applications.vgg16.preprocess_input),
        ("MobileNetV3Small", lambda images: images / 127.5 - 1),
        (
            "EfficientNetV2B0",
            lambda images: (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
        ),
    ],
)
def test_the_normalisation_is_the_one_that_the_imagenet_weights_expect(
    backbone: str, preprocess: Callable[[np.ndarray], np.ndarray]
) -> None:
    model = _build(backbone)
    features = keras.Model(model.input, model.get_layer("features").output)
    options = dict(APPLICATIONS[backbone].options)
    original = APPLICATIONS[backbone].make(
        include_top=False, input_shape=(32, 32, 3), weights=None, **options
    )
    original.set_weights(features.get_weights())
    images = _images(32)
    expected = original(preprocess(images.copy()), training=False)
    found = features(images, training=False)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_a_head_without_classes_is_left_out() -> None:
    model = _build("simple_cnn", classes={"style": 0, "category": 3})
    assert list(model.output) == ["category"]


def test_without_any_class_there_is_nothing_to_learn() -> None:
    with pytest.raises(ModelError, match="taxonomy.yaml lists neither styles nor categories"):
        _build("simple_cnn", classes={"style": 0, "category": 0})


@pytest.mark.parametrize(("height", "width", "side"), [(28, 28, 3), (47, 60, 5), (48, 64, 3)])
def test_small_images_keep_a_map_that_is_worth_the_name(height: int, width: int, side: int) -> None:
    model = _build("small_resnet", image_shape=(height, width, 3))
    assert model.get_layer("features").output.shape[1] == side


def test_stochastic_depth_leaves_more_of_the_later_blocks_out() -> None:
    keras.utils.set_random_seed(1)
    model = _build("small_resnet", size=16, stochastic_depth=0.5)
    added = [layer.output for layer in model.layers if layer.name.endswith("_depth")]
    branches = keras.Model(model.input, added)
    images = np.repeat(_images(16), 200, axis=0)
    kept, whole = branches(images, training=True), branches(images, training=False)
    shares = [1 - np.asarray(branch).any(axis=(1, 2, 3)).mean() for branch in kept]
    np.testing.assert_allclose(shares, [0.25, 0.5], atol=0.07)
    assert all(np.asarray(branch).any(axis=(1, 2, 3)).all() for branch in whole)


def test_stochastic_depth_is_gone_after_training() -> None:
    plain, dropping = _build("small_resnet"), _build("small_resnet", stochastic_depth=0.5)
    assert len(dropping.layers) == len(plain.layers) + 2
    for layer in plain.layers:
        dropping.get_layer(layer.name).set_weights(layer.get_weights())
    images = _images(32)
    expected = plain(images, training=False)
    for answers in (dropping(images, training=False), dropping(images)):
        for head in CLASSES:
            np.testing.assert_array_equal(answers[head], expected[head])
    assert not np.allclose(dropping(images, training=True)["style"], expected["style"])


@pytest.mark.parametrize("backbone", ["simple_cnn", "MobileNetV3Small"])
def test_a_backbone_without_stochastic_depth_says_so(backbone: str) -> None:
    with pytest.raises(
        ModelError,
        match=f"train.stochastic_depth is 0.1, but only small_resnet has it, not {backbone}: set",
    ):
        _build(backbone, stochastic_depth=0.1)


def test_an_unknown_backbone_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"one of simple_cnn, small_resnet, .*got 'resnet'"):
        _build("resnet")


def test_a_backbone_that_needs_larger_images_says_so() -> None:
    with pytest.raises(
        ModelError, match=r"InceptionV3 cannot take images of 32×32 .*75x75.*raise image.height"
    ):
        _build("InceptionV3")


def test_our_own_backbones_have_no_imagenet_weights() -> None:
    with pytest.raises(ModelError, match="no such weights for small_resnet; set train.weights to"):
        _build("small_resnet", weights="imagenet")


def test_imagenet_weights_without_a_network_are_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", offline)
    monkeypatch.setattr("keras.src.backend.config.keras_home", lambda: str(tmp_path))
    with pytest.raises(ModelError) as raised:
        _build("MobileNetV3Small", weights="imagenet")
    text = str(raised.value)
    assert "the ImageNet weights of MobileNetV3Small cannot be fetched" in text
    assert "Name or service not known" in text
    assert "set train.weights to none or to the path of a .keras file" in text
    assert "\n" not in text
