"""Stages of a network by the size of their maps, and the share of the rate of each."""

import keras
import pytest

from vitrine.models import build
from vitrine.training.rates import shares


def _shares(backbone: str, size: int, *fresh: str) -> tuple[keras.Model, dict[str, float]]:
    model = build(
        backbone,
        image_shape=(size, size, 3),
        classes={"style": 2, "category": 3},
        dropout=0.0,
        stochastic_depth=0.0,
    )
    return model, shares(model, 0.5, {*model.output, *fresh})


def test_each_stage_learns_at_half_of_the_rate_of_the_one_after_it() -> None:
    _, found = _shares("small_resnet", 64)
    expected = {
        "stage3_block1_second_conv/kernel": 0.5,
        "stage3_conv/kernel": 0.25,
        "stage2_norm/gamma": 0.125,
        "stage1_block1_first_norm/beta": 0.125,
        "stage1_conv/kernel": 0.0625,
        "stem_conv/kernel": 0.0625,
    }
    assert {path: found[path] for path in expected} == expected
    assert not any(path.startswith(("style", "category")) for path in found)


def test_a_dense_layer_before_the_heads_is_the_last_stage() -> None:
    _, found = _shares("simple_cnn", 32)
    assert found["embedding/kernel"] == 0.5
    assert found["block2_conv/kernel"] == 0.25
    assert found["block1_conv/kernel"] == 0.125


def test_a_layer_that_has_learned_nothing_is_no_stage() -> None:
    _, found = _shares("simple_cnn", 32, "embedding")
    assert "embedding/kernel" not in found
    assert found["block2_conv/kernel"] == 0.5


@pytest.mark.slow
def test_the_shares_never_fall_towards_the_heads() -> None:
    # MobileNetV3 has gates that look at one pixel in the middle of its stages.
    model, found = _shares("MobileNetV3Small", 96)
    in_order = [found[v.path] for v in model.trainable_variables if v.path in found]
    assert in_order == sorted(in_order)
    assert set(in_order) == {0.5**distance for distance in range(1, 6)}
