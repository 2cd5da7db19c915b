"""The loss is the formula, the spread tells a collapse, and the encoder is what learns."""

from typing import Any

import keras
import numpy as np
import pytest

from vitrine.models.simclr import SimCLR, contrast, spread


def _directions(count: int, width: int = 8) -> np.ndarray:
    drawn = np.random.default_rng(3).normal(size=(count, width))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype("float32")


def _by_hand(views: np.ndarray, temperature: float) -> float:
    images, losses = len(views) // 2, []
    for i, view in enumerate(views):
        likeness = views @ view / temperature
        others = [k for k in range(len(views)) if k % images != i % images]
        partner = (i + images) % len(views)
        losses.append(-likeness[partner] + np.log(np.exp(likeness[others]).sum()))
    return float(np.mean(losses))


@pytest.mark.parametrize("images", [2, 5])
def test_the_loss_is_the_formula(images: int) -> None:
    views = _directions(2 * images)
    assert float(contrast(views, 0.2)) == pytest.approx(_by_hand(views, 0.2), rel=1e-4)


def test_alike_views_of_unlike_images_cost_least() -> None:
    images = np.eye(4, dtype="float32")
    told_apart = float(contrast(np.concatenate([images, images]), 0.2))
    mixed_up = float(contrast(np.concatenate([images, images[::-1]]), 0.2))
    all_alike = float(contrast(np.tile(images[:1], (8, 1)), 0.2))
    assert told_apart < all_alike < mixed_up


def test_the_spread_is_nothing_where_all_are_alike_and_one_where_they_point_anywhere() -> None:
    assert float(spread(np.tile(_directions(1), (16, 1)))) == pytest.approx(0, abs=1e-3)
    assert float(spread(_directions(4000, 32))) == pytest.approx(1, abs=0.05)


def _simclr(**changes: Any) -> SimCLR:
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(6, 3)(x)
    encoder = keras.Model(image, keras.layers.GlobalAveragePooling2D()(x))
    options = {"zoom": 0.3, "color": 0.2, "projection": 5, "temperature": 0.2, "seed": 1}
    return SimCLR(encoder, **{**options, **changes})


def test_it_compares_two_views_of_each_image() -> None:
    model = _simclr()
    images = np.random.default_rng(0).uniform(0, 255, (3, 8, 8, 3)).astype("uint8")
    compared = np.asarray(model(images))
    assert compared.shape == (6, 5)
    np.testing.assert_allclose(np.linalg.norm(compared, axis=1), 1, rtol=1e-5)
    assert not np.allclose(compared[:3], compared[3:])
    (loss,) = model.losses
    assert float(loss) == pytest.approx(_by_hand(compared, 0.2), rel=1e-4)


def test_it_is_not_compiled_by_xla_which_cannot_cut_views() -> None:
    model = _simclr()
    # As on a GPU, where Keras does so by itself if all layers allow it.
    with pytest.warns(UserWarning, match="doesn't support `jit_compile=True`"):
        model.compile(keras.optimizers.SGD(0.01), jit_compile=True)
    model.fit(np.zeros((2, 8, 8, 3), "float32"), verbose=0)


def test_the_encoder_learns_to_tell_images_apart() -> None:
    model = _simclr(color=0.1)
    before = model.encoder.get_weights()
    model.compile(keras.optimizers.Adam(0.01))
    colours = np.random.default_rng(0).uniform(0, 255, (8, 1, 1, 3)).astype("float32")
    images = np.tile(colours, (1, 8, 8, 1))
    history = model.fit(images, batch_size=8, epochs=30, verbose=0).history
    assert set(history) == {"loss", "spread"}
    assert all(0 < value < 1.1 for value in history["spread"])
    assert np.mean(history["loss"][-5:]) < np.mean(history["loss"][:5]) - 0.2
    assert not np.allclose(before[0], model.encoder.get_weights()[0])
