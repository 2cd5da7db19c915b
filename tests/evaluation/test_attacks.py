"""Attacks on a real network, trained to see small differences of brightness and hue."""

from io import BytesIO

import keras
import numpy as np
import PIL.Image
import pytest

from vitrine.bundle.export import Contents, export_bundle
from vitrine.bundle.format import Lineage
from vitrine.bundle.runtime import Runtime
from vitrine.core.params import AttackParams, EvaluateParams, ImageParams, Params, override
from vitrine.core.taxonomy import HEADS, UNKNOWN, Head, Label, Taxonomy
from vitrine.evaluation.attacks import attacked, fgsm, loss_slope, pgd
from vitrine.inputs.shards import Batch

EPSILON = 6.0

Pixels = np.ndarray
Labels = dict[Head, np.ndarray]


def _labelled(count: int, seed: int) -> tuple[Pixels, Labels]:
    """Grey noise, for bright ones 10 levels more, and for red ones 20 in the first channel."""
    random = np.random.default_rng(seed)
    labels: Labels = {head: random.integers(0, 2, count) for head in HEADS}
    images = random.normal(120, 20, (count, 32, 32, 3))
    images += 10 * labels["style"][:, None, None, None]
    images[..., 0] += 20 * labels["category"][:, None, None]
    return images.clip(0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory, small: ImageParams) -> Runtime:
    keras.utils.set_random_seed(1)
    image = keras.Input((32, 32, 3), name="image")
    x = keras.layers.Rescaling(1 / 30, offset=-4)(image)
    x = keras.layers.Conv2D(8, 4, strides=4, use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU(name="features")(x)
    x = keras.layers.GlobalAveragePooling2D(name="embedding")(x)
    x = keras.layers.Dropout(0.1)(x)
    network = keras.Model(image, {head: keras.layers.Dense(2, name=head)(x) for head in HEADS})
    images, labels = _labelled(512, seed=1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.03), dict.fromkeys(HEADS, loss))
    network.fit(images.astype(np.float32), labels, epochs=12, batch_size=32, verbose=0)
    folder = tmp_path_factory.mktemp("attacked")
    network.save(folder / "model.keras")
    taxonomy = Taxonomy(
        styles=(Label(name="dim"), Label(name="bright")),
        categories=(Label(name="grey"), Label(name="red")),
    )
    lineage = Lineage(git_commit="a", data_digest="b", params_digest="c", run_id="d", created="e")
    golden = [_png(images[0])]
    contents = Contents(small, taxonomy, lineage, golden, tolerance=1e-3, precision=0.9)
    validation = [Batch(*_labelled(200, seed=2), [])]
    export_bundle(folder / "model.keras", folder / "bundle", contents, validation)
    return Runtime(folder / "bundle")


def _png(pixels: Pixels) -> bytes:
    buffer = BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def attack() -> AttackParams:
    return AttackParams(images=60, epsilon=EPSILON, steps=5)


@pytest.fixture
def section(params: Params, attack: AttackParams) -> EvaluateParams:
    return params.evaluate.model_copy(update={"attack": attack, "batch_size": 25})


def _loss(runtime: Runtime, images: Pixels, labels: Labels) -> float:
    answers = runtime.predict(images)
    rows = np.arange(len(images))
    return float(
        sum(-np.log(answers.probabilities(head)[rows, labels[head]]).mean() for head in HEADS)
    )


def test_the_network_loses_accuracy_under_attack(runtime: Runtime, section: EvaluateParams) -> None:
    first, second = attacked(runtime, *_labelled(60, seed=3), section)
    assert (first.attack, second.attack) == ("FGSM", "PGD")
    for result in (first, second):
        assert (result.images, result.epsilon) == (60, EPSILON)
        for head in HEADS:
            assert result.clean[head] > 0.9
            assert result.accuracy[head] < result.clean[head] - 0.2


def test_several_steps_are_at_least_as_strong_as_one(
    runtime: Runtime, attack: AttackParams
) -> None:
    images, labels = _labelled(60, seed=3)
    slope = loss_slope(runtime)
    one = fgsm(images, labels, slope, attack.epsilon)
    several = pgd(images, labels, slope, attack, np.random.default_rng(1))
    assert _loss(runtime, images, labels) + 0.5 < _loss(runtime, one, labels)
    assert _loss(runtime, one, labels) <= _loss(runtime, several, labels) * 1.01


def test_chance_of_the_same_size_does_much_less(runtime: Runtime) -> None:
    images, labels = _labelled(60, seed=3)
    signs = np.random.default_rng(1).choice([-EPSILON, EPSILON], images.shape)
    noisy = (images + signs).clip(0, 255).astype(np.uint8)
    attacked_once = fgsm(images, labels, loss_slope(runtime), EPSILON)
    clean = _loss(runtime, images, labels)
    assert _loss(runtime, noisy, labels) - clean < 0.2 * (
        _loss(runtime, attacked_once, labels) - clean
    )


@pytest.mark.parametrize("epsilon", [1.0, 2.5, 6.0, 255.0])
def test_no_pixel_changes_by_more_than_epsilon(
    runtime: Runtime, attack: AttackParams, epsilon: float
) -> None:
    images, labels = _labelled(8, seed=4)
    images[0], images[1] = 0, 255
    slope = loss_slope(runtime)
    bounded = override(attack, {"epsilon": epsilon})
    for changed in (
        fgsm(images, labels, slope, epsilon),
        pgd(images, labels, slope, bounded, np.random.default_rng(1)),
    ):
        assert changed.dtype == np.uint8
        difference = np.abs(changed.astype(int) - images)
        assert difference.max() <= epsilon
        assert difference.max() == 0 or difference.max() >= min(int(epsilon), 200)


def test_the_gradient_is_that_of_the_loss(runtime: Runtime) -> None:
    images, labels = _labelled(20, seed=5)
    images = images.clip(1, 254)
    slope = loss_slope(runtime)(images.astype(np.float32), labels)
    # Few values, for the loss is no straight line.
    step = np.sign(slope) * (np.abs(slope) > np.quantile(np.abs(slope), 0.97))
    up, down = (_loss(runtime, (images + sign * step).astype(np.uint8), labels) for sign in (1, -1))
    assert (up - down) / 2 == pytest.approx((step * slope).sum() / 20, rel=0.05)


def test_unknown_labels_play_no_part(runtime: Runtime, section: EvaluateParams) -> None:
    images, labels = _labelled(60, seed=3)
    half = np.arange(60) < 30
    labels["style"][:] = UNKNOWN
    labels["category"][half] = UNKNOWN
    slope = loss_slope(runtime)(images.astype(np.float32), labels)
    assert (slope[half] == 0).all()
    assert (slope[~half] != 0).any(axis=(1, 2, 3)).all()
    for result in attacked(runtime, images, labels, section):
        assert result.clean.keys() == result.accuracy.keys() == {"category"}
        part = {head: of_head[~half] for head, of_head in labels.items()}
    known = attacked(runtime, images[~half], part, section)[0]
    assert result.clean["category"] == known.clean["category"]


def test_the_same_seed_gives_the_same_figures(runtime: Runtime, section: EvaluateParams) -> None:
    images, labels = _labelled(60, seed=3)
    assert attacked(runtime, images, labels, section) == attacked(runtime, images, labels, section)
