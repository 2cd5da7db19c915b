"""Keras networks become bundles that answer as they do."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from vitrine.bundle.choice import choose
from vitrine.bundle.compiled import chip_precisions
from vitrine.bundle.export import Contents, export_bundle
from vitrine.bundle.format import load_info
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import BundleError, ModelError
from vitrine.core.taxonomy import HEADS, Taxonomy
from vitrine.inputs.shards import Batch
from vitrine.models import build

Save = Callable[[keras.Model], Path]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(5)


@pytest.fixture
def float32() -> Iterator[None]:
    """Whatever a test sets as the precision ends with it."""
    yield
    keras.config.set_dtype_policy("float32")


def _classes(taxonomy: Taxonomy) -> dict[str, int]:
    return {head: len(taxonomy.names(head)) for head in HEADS}


def _trained(network: keras.Model) -> keras.Model:
    """Move the statistics of batch normalisation away from where an untrained network has them."""
    generator = np.random.default_rng(1)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            mean = mean + generator.normal(0, 0.3, mean.shape)
            variance = variance * generator.uniform(0.5, 2, variance.shape)
            layer.set_weights([np.ones_like(gamma), beta, mean, variance])
    return network


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["simple_cnn", "small_resnet"])
def test_our_backbones_answer_as_in_keras(
    backbone: str, contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    network = _trained(
        build(backbone, image_shape=(32, 32, 3), classes=_classes(contents.taxonomy), dropout=0.3)
    )
    exported = export_bundle(save(network), tmp_path / "bundle", contents, validation)
    assert exported.difference < 1e-4
    images = validation[0].images
    logits = network.predict(images.astype("float32"), verbose=0)
    answers = Runtime(tmp_path / "bundle").predict(images)
    for head in HEADS:
        scaled = logits[head] / exported.info.calibration[head]
        expected = keras.ops.convert_to_numpy(keras.ops.softmax(scaled))
        np.testing.assert_allclose(answers.probabilities(head), expected, atol=1e-4)
    if backbone == "simple_cnn":
        assert answers.style_map is None
        assert answers.category_map is None
        return
    for head in HEADS:
        maps, bias = answers.maps(head), network.get_layer(head).bias.numpy()
        np.testing.assert_allclose(maps.mean(axis=(1, 2)) + bias, logits[head], atol=1e-3)


Part = Callable[[keras.KerasTensor], keras.KerasTensor]


def _plain(taxonomy: Taxonomy, *inside: Part, activation: str | None = None) -> keras.Model:
    """A small network with parts of the test's choice inside."""
    image = keras.Input((32, 32, 3), name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    for part in inside:
        x = part(x)
    x = keras.layers.Conv2D(8, 3, strides=4)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.GlobalAveragePooling2D(name="embedding")(x)
    heads = {
        head: keras.layers.Dense(count, activation=activation, dtype="float32", name=head)(x)
        for head, count in _classes(taxonomy).items()
        if count
    }
    return _trained(keras.Model(image, heads))


@pytest.mark.parametrize("layer", [keras.layers.RandomFlip, keras.layers.RandomContrast])
def test_a_layer_that_calls_itself_training_does_not_change_the_answers(
    layer: type[keras.Layer],
    contents: Contents,
    validation: list[Batch],
    save: Save,
    tmp_path: Path,
) -> None:
    arguments = {"factor": 0.9} if layer is keras.layers.RandomContrast else {}
    path = save(_plain(contents.taxonomy, layer(**arguments)))
    assert export_bundle(path, tmp_path / "bundle", contents, validation).difference < 1e-4


def test_a_part_that_openvino_does_not_know_is_named(
    contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    path = save(_plain(contents.taxonomy, keras.layers.Resizing(20, 20, interpolation="area")))
    with pytest.raises(BundleError, match=r"cannot be written for OpenVINO.*ResizeArea"):
        export_bundle(path, tmp_path / "bundle", contents, validation)
    assert not (tmp_path / "bundle").exists()


def test_a_network_trained_in_mixed_precision_is_served_in_float32(
    float32: None, contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    nested = keras.Sequential([keras.layers.Conv2D(4, 3)])
    path = save(_plain(contents.taxonomy, lambda x: keras.ops.flip(x, axis=-1), nested))
    exported = export_bundle(path, tmp_path / "bundle", contents, validation)
    assert exported.difference < 1e-5
    assert "bf16" not in (tmp_path / "bundle/model.xml").read_text().lower()


def test_a_catalogue_without_styles_gives_a_bundle_with_one_head(
    contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    taxonomy = Taxonomy(styles=(), categories=contents.taxonomy.categories)
    path = save(_plain(taxonomy))
    export_bundle(path, tmp_path / "bundle", replace(contents, taxonomy=taxonomy), validation)
    answers = Runtime(tmp_path / "bundle").predict(validation[0].images)
    assert answers.style.shape == (20, 0)
    assert answers.category.shape == (20, len(taxonomy.categories))


def test_a_head_is_sure_where_its_served_answers_on_val_are_right_often_enough(
    contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    network = _plain(contents.taxonomy)
    images = np.concatenate([batch.images for batch in validation])
    taught = network.predict(images, verbose=0)["category"].argmax(axis=1)
    # What the network answers anyway is true but for the five answers it is least sure of, so that
    # the right and the wrong ones have a confidence between them. Nothing is known of the styles.
    confidence = keras.ops.convert_to_numpy(
        keras.ops.softmax(network.predict(images, verbose=0)["category"])
    ).max(axis=1)
    doubtful = np.argsort(confidence)[:5]
    taught[doubtful] = (taught[doubtful] + 1) % len(contents.taxonomy.categories)
    labels = {"style": np.full(len(images), -1), "category": taught}
    exported = export_bundle(
        save(network), tmp_path / "bundle", contents, [Batch(images, labels, [])]
    )
    assert exported.info.precision == 0.9
    assert exported.info.thresholds["style"] > 1
    answers = Runtime(tmp_path / "bundle").predict(images).category
    sure = answers.max(axis=1) >= exported.info.thresholds["category"]
    right = answers.argmax(axis=1) == taught
    assert 18 <= sure.sum() < len(images)
    assert right[sure].sum() >= 0.9 * (sure.sum() + 1)


def test_what_is_computed_in_is_chosen_among_what_this_chip_has(
    contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    path = save(_plain(contents.taxonomy))
    wished = replace(contents, computing=("bf16", "f32"), computing_tolerance=0.5)
    info = export_bundle(path, tmp_path / "bundle", wished, validation).info
    there = [one for one in chip_precisions() if one != "int8"]
    assert [one.precision for one in info.computing.measured] == there
    assert info.computing.precision == choose(info.computing.measured, 0.5)
    assert Runtime(tmp_path / "bundle").precision == info.computing.precision
    exact = info.computing.measured[0]
    answers = Runtime(tmp_path / "bundle", precision="f32").predict(
        np.concatenate([batch.images for batch in validation])
    )
    for head in HEADS:
        truth = np.concatenate([batch.labels[head] for batch in validation])
        right = answers.probabilities(head).argmax(axis=1) == truth
        assert exact.accuracy[head] == pytest.approx(right[truth >= 0].mean())


def test_a_bundle_that_answers_otherwise_replaces_nothing(
    contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    path = save(_plain(contents.taxonomy))
    export_bundle(path, tmp_path / "bundle", contents, validation)
    before = load_info(tmp_path / "bundle")
    strict = replace(contents, tolerance=1e-12)
    with pytest.raises(BundleError, match=r"does not answer as the Keras model.*export.tolerance"):
        export_bundle(path, tmp_path / "bundle", strict, validation)
    assert load_info(tmp_path / "bundle") == before
    assert {path.name for path in tmp_path.iterdir()} == {"bundle", "model.keras"}


def test_a_network_without_the_named_layers_is_refused(
    contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    image = keras.Input((32, 32, 3))
    heads = {h: keras.layers.Dense(n, name=h) for h, n in _classes(contents.taxonomy).items()}
    x = keras.layers.GlobalAveragePooling2D(name="pooled")(image)
    path = save(keras.Model(image, {head: layer(x) for head, layer in heads.items()}))
    with pytest.raises(ModelError, match="has no layer named 'embedding'"):
        export_bundle(path, tmp_path / "bundle", contents, validation)


def test_a_network_that_gives_probabilities_is_refused(
    contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    path = save(_plain(contents.taxonomy, activation="softmax"))
    with pytest.raises(ModelError, match="'style' must give logits"):
        export_bundle(path, tmp_path / "bundle", contents, validation)


def test_a_network_for_other_labels_is_refused(
    contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    fewer = Taxonomy(styles=contents.taxonomy.styles, categories=contents.taxonomy.categories[:-1])
    path = save(_plain(fewer))
    with pytest.raises(ModelError, match=r"classes of category, but the taxonomy.*dvc repro train"):
        export_bundle(path, tmp_path / "bundle", contents, validation)


def test_a_network_for_other_sizes_is_refused(
    contents: Contents, validation: list[Batch], save: Save, tmp_path: Path
) -> None:
    image = contents.image.model_copy(update={"height": 48})
    path = save(_plain(contents.taxonomy))
    with pytest.raises(ModelError, match=r"takes images of the shape \(32, 32, 3\).*\(48, 32, 3\)"):
        export_bundle(path, tmp_path / "bundle", replace(contents, image=image), validation)


@pytest.mark.parametrize("content", [None, b"", b"not a network"])
def test_a_file_that_is_no_network_is_named(
    content: bytes | None, contents: Contents, validation: list[Batch], tmp_path: Path
) -> None:
    path = tmp_path / "model.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.keras cannot be loaded as a Keras model"):
        export_bundle(path, tmp_path / "bundle", contents, validation)
