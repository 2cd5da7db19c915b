"""The measures of a split, against numbers by hand."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from vitrine.core.errors import ModelError, PreparedDataError
from vitrine.training.scoring import Validation

# What the "network" answers is what it is shown: probabilities of three classes, as logits.
ANSWERS = np.log([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])


@pytest.fixture(scope="module")
def echo() -> keras.Model:
    image = keras.Input((1, 1, 3))
    flat = keras.layers.Flatten()(image)
    return keras.Model(image, {"style": flat, "category": flat})


def _batches(style: list[int], category: list[int]) -> tf.data.Dataset:
    images = ANSWERS.astype("float32").reshape(-1, 1, 1, 3)
    labels = {"style": np.array(style), "category": np.array(category)}
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(3)


def test_the_measures_are_those_of_the_labelled_images(echo: keras.Model) -> None:
    batches = _batches([0, 1, 1, -1], [-1, -1, -1, 2])
    found = Validation(batches, {"style": 2.0, "category": 1.0}, 0.0).measure(echo)
    style_loss = -(math.log(0.7) + math.log(0.7) + math.log(0.3)) / 3
    # Class 0: precision 1/2, recall 1; class 1: precision 1, recall 1/2. Class 2 does not occur.
    style_f1 = (2 / 3 + 2 / 3) / 2
    assert found == pytest.approx(
        {
            "val_loss": 2 * style_loss - math.log(0.8),
            "val_style_accuracy": 2 / 3,
            "val_style_macro_f1": style_f1,
            "val_category_accuracy": 1.0,
            "val_category_macro_f1": 1.0,
            "val_macro_f1": (style_f1 + 1) / 2,
        },
        rel=1e-5,
    )


def test_a_head_without_labels_does_not_count(echo: keras.Model) -> None:
    batches = _batches([0, 1, 0, 2], [-1] * 4)
    found = Validation(batches, {"style": 1.0, "category": 1.0}, 0.1).measure(echo)
    assert found["val_macro_f1"] == found["val_style_macro_f1"] == 1.0
    assert not any(name.startswith("val_category") for name in found)


def test_a_split_without_any_label_is_an_error() -> None:
    with pytest.raises(PreparedDataError, match="the val split has no labelled image"):
        Validation(_batches([-1] * 4, [-1] * 4), {"style": 1.0, "category": 1.0}, 0.0)


def test_answers_that_are_no_numbers_are_an_error(echo: keras.Model) -> None:
    batches = _batches([0, 1, 0, 2], [-1] * 4).map(lambda images, labels: (images / 0.0, labels))
    validation = Validation(batches, {"style": 1.0, "category": 1.0}, 0.0)
    with pytest.raises(
        ModelError, match=r"the loss became nan on val: .*lower train.learning_rate"
    ):
        validation.measure(echo)
