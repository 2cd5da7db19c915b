"""The learning rate, the shares of it, what weight decay touches, and the moving average."""

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from vitrine.core.params import TrainParams, override
from vitrine.models import build
from vitrine.training.optimizer import averaged, learning_rate, optimizer


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
    model = build(
        "small_resnet",
        image_shape=(32, 32, 3),
        classes={"style": 2},
        dropout=0.0,
        stochastic_depth=0.0,
    )
    variables = model.trainable_variables
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    made = optimizer(params, steps=10, variables=variables, shares={})
    made.apply([keras.ops.zeros(variable.shape) for variable in variables], variables)
    for variable in variables:
        decays = name == "adamw" and variable.path.endswith("kernel")
        expected = 1 - 0.5 * params.learning_rate if decays else 1.0
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6, err_msg=variable.path)


def _two() -> list[keras.Variable]:
    return [keras.Variable(np.full((2, 2), 3.0), name=name) for name in ("near", "far")]


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(("name", "decay"), [("adam", 0.0), ("adamw", 0.5)])
def test_a_variable_learns_and_decays_at_its_share_of_the_rate(
    name: str, decay: float, scaled: bool, short: TrainParams
) -> None:
    changes = {"optimizer": name, "weight_decay": 0.5, "warmup_share": 0.0, "learning_rate": 0.1}
    near, far = variables = _two()
    made = optimizer(override(short, changes), steps=10, variables=variables, shares={"far": 0.25})
    whole = keras.optimizers.LossScaleOptimizer(made, initial_scale=8.0) if scaled else made
    whole.build(variables)
    gradient = keras.ops.full((2, 2), 7.0 * (8.0 if scaled else 1.0))
    whole.apply([gradient, gradient], variables)
    # Adam's first step is the rate itself, against the gradient's sign.
    np.testing.assert_allclose(near.numpy(), 3 - 3 * decay * 0.1 - 0.1, rtol=1e-5)
    np.testing.assert_allclose(far.numpy(), 3 - 3 * decay * 0.025 - 0.025, rtol=1e-5)


def test_a_variable_with_a_share_of_one_moves_as_keras_moves_it(short: TrainParams) -> None:
    (mine, theirs), random = _two(), np.random.default_rng(1)
    made = optimizer(short, steps=5, variables=[mine], shares={})
    usual = keras.optimizers.AdamW(
        learning_rate(short.learning_rate, steps=5, warmup_share=short.warmup_share),
        weight_decay=short.weight_decay,
    )
    for _ in range(5):
        gradient = keras.ops.convert_to_tensor(random.normal(size=(2, 2)).astype("float32"))
        made.apply([gradient], [mine])
        usual.apply([gradient], [theirs])
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-6)


@pytest.fixture
def averaging(short: TrainParams) -> keras.Model:
    """A compiled network of one weight and one normalising layer."""
    image = keras.Input((1,))
    x = keras.layers.BatchNormalization(momentum=0.5, name="norm")(image)
    model = keras.Model(image, keras.layers.Dense(1, use_bias=False, name="dense")(x))
    params = override(short, {"ema_decay": 0.5, "learning_rate": 0.1})
    variables = model.trainable_variables
    made = optimizer(params, steps=30, variables=variables, shares={})
    model.compile(made, loss="mse")
    made.build(variables)
    return model


def _averages(seen: list[list[NDArray[np.float32]]]) -> list[NDArray[np.float32]]:
    average = seen[0]
    for step, values in enumerate(seen):
        momentum = min(0.5, step / (9 + step))
        average = [momentum * a + (1 - momentum) * v for a, v in zip(average, values, strict=True)]
    return average


def test_the_average_follows_the_weights(averaging: keras.Model) -> None:
    random, seen = np.random.default_rng(1), []
    for _ in range(12):
        x = random.normal(4, 3, (8, 1))
        averaging.fit(x, 2 * x, verbose=0)
        seen.append(averaging.get_weights())
    with averaged(averaging):
        found = averaging.get_weights()
    names = [weight.name for weight in averaging.weights]
    for name, mine, expected, last in zip(names, found, _averages(seen), seen[-1], strict=True):
        if name.startswith("moving"):
            np.testing.assert_array_equal(mine, last)
        else:
            np.testing.assert_allclose(mine, expected, rtol=1e-4)
            assert not np.array_equal(mine, last)
    for mine, last in zip(averaging.get_weights(), seen[-1], strict=True):
        np.testing.assert_array_equal(mine, last)


def test_before_the_first_step_the_average_is_what_is_there(averaging: keras.Model) -> None:
    before = averaging.get_weights()
    with averaged(averaging):
        for mine, expected in zip(averaging.get_weights(), before, strict=True):
            np.testing.assert_array_equal(mine, expected)
