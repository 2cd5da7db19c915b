"""Weights of an earlier model are taken over where they fit."""

from pathlib import Path

import keras
import numpy as np
import pytest

from vitrine.core.errors import ModelError
from vitrine.models import build, transfer


def _build(backbone: str, **classes: int) -> keras.Model:
    return build(backbone, image_shape=(32, 32, 3), classes=classes, dropout=0.1)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keras.utils.set_random_seed(1)
    path = tmp_path_factory.mktemp("earlier") / "model.keras"
    _build("small_resnet", style=2, category=3).save(path)
    return path


def test_the_same_network_is_taken_over_whole(saved: Path) -> None:
    model = _build("small_resnet", style=2, category=3)
    assert transfer(model, saved, {}).left == ()
    images = np.full((1, 32, 32, 3), 99.0)
    expected = keras.models.load_model(saved).predict(images, verbose=0)
    np.testing.assert_allclose(model.predict(images, verbose=0)["style"], expected["style"])


def test_a_head_with_other_classes_begins_anew(saved: Path) -> None:
    model = _build("small_resnet", style=2, category=5)
    fresh = model.get_layer("category").get_weights()
    done = transfer(model, saved, {})
    assert done.left == ("category",)
    assert "stem_conv" in done.taken
    np.testing.assert_array_equal(model.get_layer("category").get_weights()[0], fresh[0])
    earlier = keras.models.load_model(saved).get_layer("stem_conv").get_weights()
    np.testing.assert_array_equal(model.get_layer("stem_conv").get_weights()[0], earlier[0])


def test_a_label_keeps_its_weights_wherever_it_stands(saved: Path) -> None:
    model = _build("small_resnet", style=2, category=4)
    fresh = model.get_layer("category").get_weights()
    done = transfer(model, saved, {"style": [1, 0], "category": [2, -1, 0, -1]})
    assert done.left == ("2 of 4 labels of category",)
    assert {"style", "category", "stem_conv"} <= set(done.taken)
    images = np.random.default_rng(1).uniform(0, 255, (3, 32, 32, 3))
    expected = keras.models.load_model(saved).predict(images, verbose=0)
    found = model.predict(images, verbose=0)
    np.testing.assert_allclose(found["style"], expected["style"][:, [1, 0]], atol=1e-5)
    np.testing.assert_allclose(
        found["category"][:, [0, 2]], expected["category"][:, [2, 0]], atol=1e-5
    )
    kernel, _ = model.get_layer("category").get_weights()
    np.testing.assert_array_equal(kernel[:, [1, 3]], fresh[0][:, [1, 3]])


def test_another_network_does_not_fit(saved: Path) -> None:
    model = _build("simple_cnn", style=2, category=3)
    before = model.get_weights()
    with pytest.raises(
        ModelError, match="no layer fits the backbone simple_cnn.*another train.backbone"
    ):
        transfer(model, saved, {})
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.keras"
    path.write_text("no model")
    with pytest.raises(ModelError, match="notes.keras is not a Keras model that can be read"):
        transfer(_build("simple_cnn", style=2), path, {})
