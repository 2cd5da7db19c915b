"""Augmentation changes images and mixes targets, but keeps shapes, ranges and meaning."""

from typing import Any

import keras
import numpy as np
import pytest

from vitrine.core.params import AugmentParams, Params
from vitrine.models.augmentation import Augmentation, RandAugment, RandomColor, RandomGeometry
from vitrine.models.augmentation.randaugment import OPERATIONS

OFF: dict[str, Any] = {
    "flip": False,
    "rotation": 0.0,
    "zoom": 0.0,
    "shift": 0.0,
    "color": 0.0,
    "randaugment": 0.0,
    "erasing": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
}
CHANGING = {
    **dict.fromkeys(["rotation", "zoom", "shift", "color", "randaugment"], 0.2),
    "erasing": 0.9,
}


def _images(count: int = 8) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, 12, 10, 3)).astype("float32")


def _augment(seed: int = 3, **changes: Any) -> Augmentation:
    return Augmentation(AugmentParams(**{**OFF, **changes}), seed)


def _changed(layer: keras.layers.Layer, images: np.ndarray) -> np.ndarray:
    return np.asarray(layer({"images": images, "labels": np.ones((len(images), 1))})["images"])


def _randaugment(strength: float) -> RandAugment:
    geometry = RandomGeometry(flip=False, rotation=0.0, zoom=0.0, shift=0.0, seed=1)
    return RandAugment(strength=strength, geometry=geometry, seed=2)


def _pair(layer: keras.layers.Layer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mix a black image (style 0 of 2, category 2 of 3) with a white one without a style (1).

    Returns:
        How much of the white image each result holds, and the targets of the two heads.
    """
    images = np.zeros((2, 32, 32, 3), "float32")
    images[1] = 255
    labels = np.array([[1, 0, 0, 0, 1], [0, 0, 0, 1, 0]], "float32")
    mixed = layer({"images": images, "labels": labels})
    rows = np.asarray(mixed["labels"])
    return np.asarray(mixed["images"]).mean(axis=(1, 2, 3)) / 255, rows[:, :2], rows[:, 2:]


@pytest.mark.parametrize("part", CHANGING)
def test_each_part_changes_images_within_the_range_and_no_labels(part: str) -> None:
    data = {"images": _images(), "labels": np.eye(8, 5, dtype="float32")}
    changed = _augment(**{part: CHANGING[part]}, seed=1)(data)
    images = np.asarray(changed["images"])
    assert images.shape == data["images"].shape
    assert images.min() >= 0
    assert images.max() <= 255.001
    assert not np.allclose(images, data["images"])
    np.testing.assert_array_equal(changed["labels"], data["labels"])


def test_what_is_switched_off_changes_nothing_and_costs_nothing() -> None:
    images = _images()
    layer = _augment()
    np.testing.assert_array_equal(_changed(layer, images), images)
    assert layer.steps == []


def test_flipping_mirrors_about_half_of_the_images_and_nothing_else() -> None:
    images = _images(64)
    changed = _changed(_augment(flip=True), images)
    kept = [np.allclose(a, b, atol=1e-2) for a, b in zip(changed, images, strict=True)]
    mirrored = [np.allclose(a, b[:, ::-1], atol=1e-2) for a, b in zip(changed, images, strict=True)]
    assert all(k != m for k, m in zip(kept, mirrored, strict=True))
    assert 16 < sum(mirrored) < 48


def test_shifting_moves_the_content_by_at_most_the_share() -> None:
    image = np.zeros((1, 20, 40, 3), "float32")
    image[0, 10, 20] = 255
    for seed in range(5):
        changed = _changed(_augment(seed, shift=0.1), image)[0, ..., 0]
        row, column = np.unravel_index(changed.argmax(), changed.shape)
        assert abs(row - 10) <= 2
        assert abs(column - 20) <= 4


def test_a_turn_keeps_the_centre_and_the_proportions() -> None:
    image = np.zeros((1, 21, 41, 3), "float32")
    image[0, 10, 20] = 255
    image[0, 10, 26] = 255
    changed = _changed(_augment(rotation=0.25, seed=1), image)[0, ..., 0]
    assert changed[10, 20] == pytest.approx(255, abs=1)
    rows, columns = np.nonzero(changed > 40)
    away = np.hypot(rows - 10, columns - 20)
    assert away.max() == pytest.approx(6, abs=1.2)


def test_colours_change_as_the_formula_says(monkeypatch: pytest.MonkeyPatch) -> None:
    factors = np.array([0.9, 1.2, 0.5], "float32").reshape(3, 1, 1, 1)
    monkeypatch.setattr(keras.random, "uniform", lambda *_, **__: factors)
    images = _images(1) / 4 + 60
    grey, mean = images.mean(axis=-1, keepdims=True), images.mean()
    expected = 0.9 * (mean + 1.2 * (grey + 0.5 * (images - grey) - mean))
    layer = RandomColor(strength=0.5, seed=1)
    np.testing.assert_allclose(_changed(layer, images), expected, rtol=1e-4)


def test_randaugment_takes_two_operations_for_each_image() -> None:
    amounts = _randaugment(0.4).draw(200)
    table = np.stack([np.asarray(amounts[name]).ravel() for name in OPERATIONS], axis=1)
    np.testing.assert_array_equal((table != 0).sum(axis=1), 2)
    assert 0.38 < np.abs(table).max() <= 0.4
    used = (table != 0).mean(axis=0)
    assert used.min() > 0.08
    assert used.max() < 0.3


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_of_randaugment_is_seen(
    operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = _images(2)
    amount = {
        name: np.array([float(name == operation), 0], "float32").reshape(2, 1, 1)
        for name in OPERATIONS
    }
    monkeypatch.setattr(RandAugment, "draw", lambda self, count: amount)
    changed = _changed(_randaugment(1.0), images)
    assert np.abs(changed[0] - images[0]).mean() > 2
    np.testing.assert_allclose(changed[1], images[1], atol=0.01)


def test_randaugment_makes_the_changes_of_geometry_too() -> None:
    images = _images(64)
    changed = _changed(_augment(randaugment=1e-6, flip=True), images)
    mirrored = [np.allclose(a, b[:, ::-1], atol=1) for a, b in zip(changed, images, strict=True)]
    assert 16 < sum(mirrored) < 48


def test_erasing_fills_a_rectangle_of_the_share_of_the_images() -> None:
    images = np.full((300, 20, 16, 3), 9, "float32")
    erased = (_changed(_augment(erasing=0.25), images) != 9).any(axis=-1)
    touched = erased.any(axis=(1, 2))
    assert 0.18 < touched.mean() < 0.32
    areas = erased[touched].mean(axis=(1, 2))
    assert areas.max() < 0.4
    assert areas.mean() == pytest.approx(0.175, abs=0.05)
    for mask in erased[touched]:
        assert mask.sum() == mask.any(axis=1).sum() * mask.any(axis=0).sum()


@pytest.mark.parametrize("seed", range(4))
def test_mixup_weights_targets_like_pixels_and_leaves_the_unknown_out(seed: int) -> None:
    white, style, category = _pair(_augment(seed, mixup=1.0))
    np.testing.assert_allclose(style, np.stack([1 - white, 0 * white], axis=1), atol=1e-5)
    expected = np.stack([0 * white, white, 1 - white], axis=1)
    np.testing.assert_allclose(category, expected, atol=1e-5)


def test_cutmix_weights_targets_like_areas_and_leaves_the_unknown_out() -> None:
    layer, shares = _augment(cutmix=1.0), []
    for _ in range(8):
        white, style, category = _pair(layer)
        np.testing.assert_allclose(style, np.stack([1 - white, 0 * white], axis=1), atol=1e-5)
        expected = np.stack([0 * white, white, 1 - white], axis=1)
        np.testing.assert_allclose(category, expected, atol=1e-5)
        shares += white.tolist()
    assert any(0.1 < share < 0.9 for share in shares)


def test_cutmix_cuts_rectangles_wherever_they_lie() -> None:
    images = np.repeat(np.arange(64, dtype="float32"), 16 * 12 * 3).reshape(64, 16, 12, 3)
    cut = (_changed(_augment(cutmix=1.0), images) != images).all(axis=-1)
    for mask in cut:
        assert mask.sum() == mask.any(axis=1).sum() * mask.any(axis=0).sum()
    edges = [cut[:, 0], cut[:, -1], cut[:, :, 0], cut[:, :, -1]]
    assert all(0.1 < edge.any(axis=1).mean() < 0.9 for edge in edges)


def test_with_both_a_batch_gets_one_kind_of_mixture() -> None:
    images = np.zeros((8, 16, 16, 3), "float32")
    images[::2] = 255
    layer, kinds = _augment(mixup=1.0, cutmix=1.0), []
    for _ in range(12):
        changed = _changed(layer, images)
        blended = (changed > 0.1) & (changed < 254.9)
        # A blended image is so everywhere: none was cut, too.
        assert all(image.all() or not image.any() for image in blended)
        kinds.append(bool(blended.any()))
    assert 2 <= sum(kinds) <= 10


def test_a_mixed_precision_leaves_images_and_targets_exact(params: Params) -> None:
    everything = {"randaugment": 0.3, "erasing": 0.5, "mixup": 0.4, "cutmix": 0.4}
    section = params.train.augment.model_copy(update=everything)

    def run() -> dict[str, Any]:
        data = {"images": _images(), "labels": np.eye(8, 5, dtype="float32")}
        return {name: np.asarray(value) for name, value in Augmentation(section, 5)(data).items()}

    expected = run()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = run()
    finally:
        keras.config.set_dtype_policy("float32")
    assert found["images"].dtype == np.float32
    np.testing.assert_array_equal(found["images"], expected["images"])
    np.testing.assert_array_equal(found["labels"], expected["labels"])


def test_the_same_seed_gives_the_same_changes(params: Params) -> None:
    images = _images()
    first, second, other = (
        _changed(Augmentation(params.train.augment, seed), images) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)
