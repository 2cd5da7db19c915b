"""The learning rate and what weight decay touches."""

import keras
import numpy as np
import pytest

from vitrine.core.params import TrainParams, override
from vitrine.models import build
from vitrine.training.optimizer import learning_rate, optimizer


def test_the_rate_rises_to_the_peak_and_falls_to_zero_by_a_cosine() -> None:
    rate = learning_rate(0.4, steps=100, warmup_share=0.2)
    found = [float(rate(step)) for step in (0, 10, 20, 60, 100)]
    assert found == pytest.approx([0.0, 0.2, 0.4, 0.2, 0.0], abs=1e-6)


@pytest.mark.parametrize(("share", "first", "last"), [(0.0, 0.4, 0.0), (1.0, 0.0, 0.4)])
def test_without_and_with_nothing_but_a_warm_up(share: float, first: float, last: float) -> None:
    rate = learning_rate(0.4, steps=10, warmup_share=share)
    assert float(rate(0)) == pytest.approx(first, abs=1e-6)
    assert float(rate(10)) == pytest.approx(last, abs=1e-6)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_weight_decay_is_for_kernels_and_for_adamw_only(name: str, short: TrainParams) -> None:
    params = override(short, {"optimizer": name, "weight_decay": 0.5, "warmup_share": 0.0})
    model = build("small_resnet", image_shape=(32, 32, 3), classes={"style": 2}, dropout=0.0)
    variables = model.trainable_variables
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    made = optimizer(params, steps=10, variables=variables)
    made.apply([keras.ops.zeros(variable.shape) for variable in variables], variables)
    for variable in variables:
        decays = name == "adamw" and variable.path.endswith("kernel")
        expected = 1 - 0.5 * params.learning_rate if decays else 1.0
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6, err_msg=variable.path)
