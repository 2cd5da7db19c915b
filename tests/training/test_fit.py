"""A training learns, repeats itself, goes on after an interruption, and fails in clear words."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from shards import write_shards
from vitrine.core.errors import ModelError, PreparedDataError
from vitrine.core.params import ImageParams, TrainParams, override
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.inputs.pipeline import dataset
from vitrine.training import watch
from vitrine.training.fit import Fitted, fit
from vitrine.training.history import Epoch, best
from vitrine.training.scoring import Validation
from vitrine.training.trainer import Job


def _ignore(_: Epoch) -> None:
    pass


def _fit(params: TrainParams, prepared: Path, **options: Any) -> Fitted:
    return fit(Job(params, prepared, **options), _ignore)


@pytest.fixture(scope="module")
def fitted(short: TrainParams, prepared: Path) -> Fitted:
    """What a training makes that nothing interrupts; for reading only."""
    return _fit(short, prepared)


def _assert_same_weights(first: Fitted, second: Fitted) -> None:
    for a, b in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("ema_decay", [0.0, 0.999])
def test_a_training_learns_what_is_there(
    ema_decay: float, short: TrainParams, prepared: Path
) -> None:
    params = override(short, {"epochs": 12, "patience": 12, "ema_decay": ema_decay})
    fitted = _fit(params, prepared)
    assert best(fitted.history).score > 0.8
    assert fitted.history[-1].metrics["loss"] < fitted.history[0].metrics["loss"]
    assert {"val_loss", "val_style_macro_f1", "val_category_macro_f1"} <= set(
        fitted.history[0].metrics
    )


def test_a_small_catalogue_is_gone_through_more_often(short: TrainParams, prepared: Path) -> None:
    once = _fit(override(short, {"epochs": 1}), prepared)
    more = _fit(override(short, {"epochs": 1, "min_steps": 5}), prepared)
    assert len(once.history) == 1
    assert len(more.history) == 3  # of two steps each


def test_the_weights_are_those_of_the_best_epoch(short: TrainParams, prepared: Path) -> None:
    # A rate that jumps about, so that the last epoch is not the best; in float32, because the
    # network is measured again outside the training, where nothing is rewritten to bfloat16.
    changes = {"epochs": 8, "patience": 8, "learning_rate": 0.05, "precision": "float32"}
    params = override(short, changes)
    seen: list[Epoch] = []
    fitted = fit(Job(params, prepared), seen.append)
    assert seen == fitted.history
    chosen = best(fitted.history)
    assert chosen.number < 8
    batches = dataset(prepared, "val", batch_size=12)
    measured = Validation(batches, {"style": 1, "category": 1}, 0.05).measure(fitted.model)
    assert measured["val_macro_f1"] == pytest.approx(chosen.score)
    assert measured["val_loss"] == pytest.approx(chosen.metrics["val_loss"], rel=1e-4)


def test_the_same_seed_gives_the_same_weights(
    fitted: Fitted, short: TrainParams, prepared: Path
) -> None:
    _assert_same_weights(fitted, _fit(short, prepared))
    other = _fit(override(short, {"seed": 18}), prepared)
    assert any(
        not np.array_equal(a, b)
        for a, b in zip(fitted.model.get_weights(), other.model.get_weights(), strict=True)
    )


def _interrupted(params: TrainParams, prepared: Path, checkpoint: Path) -> Fitted:
    """Interrupt a training after two epochs, and let it go on."""

    def interrupt(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt

    job = Job(params, prepared, checkpoint=checkpoint)
    with pytest.raises(KeyboardInterrupt):
        fit(job, interrupt)
    resumed = fit(job, _ignore)
    assert resumed.resumed == 2
    return resumed


def _assert_same(resumed: Fitted, whole: Fitted) -> None:
    assert [epoch.metrics for epoch in resumed.history] == [e.metrics for e in whole.history]
    _assert_same_weights(resumed, whole)


def test_an_interrupted_training_goes_on_and_ends_with_the_same_weights(
    fitted: Fitted, short: TrainParams, prepared: Path, tmp_path: Path
) -> None:
    _assert_same(_interrupted(short, prepared, tmp_path / "checkpoint.npz"), fitted)


@pytest.mark.slow
def test_an_interrupted_training_with_normalisation_goes_on_as_well(
    short: TrainParams, prepared: Path, tmp_path: Path
) -> None:
    params = override(short, {"backbone": "small_resnet", "ema_decay": 0.9})
    resumed = _interrupted(params, prepared, tmp_path / "checkpoint.npz")
    _assert_same(resumed, _fit(params, prepared))


@pytest.mark.slow
@pytest.mark.parametrize("capability", [(7, 0), (8, 0)])
def test_mixed_precision_of_a_gpu_resumes_and_leaves_a_float32_network(
    capability: tuple[int, int],
    short: TrainParams,
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    details = {"compute_capability": capability}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["a GPU"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)
    # A list of devices that is no list of devices also makes Keras compile, which CPUs are slow at.
    monkeypatch.setattr(keras.Model, "_resolve_auto_jit_compile", lambda model: False)

    averaging = override(short, {"ema_decay": 0.9})
    resumed = _interrupted(averaging, prepared, tmp_path / "checkpoint.npz")
    whole = _fit(averaging, prepared)
    assert resumed.precision == ("mixed_bfloat16" if capability == (8, 0) else "mixed_float16")
    assert {layer.compute_dtype for layer in resumed.model.layers} == {"float32"}
    _assert_same_weights(resumed, whole)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file"])
def test_a_damaged_checkpoint_is_not_used(
    content: bytes, short: TrainParams, prepared: Path, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(content)
    assert _fit(override(short, {"epochs": 1}), prepared, checkpoint=path).resumed == 0


def test_a_checkpoint_of_another_network_is_not_used(
    short: TrainParams, prepared: Path, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoint.npz"
    _fit(override(short, {"epochs": 1}), prepared, checkpoint=path)
    other = override(short, {"epochs": 1, "backbone": "small_resnet"})
    assert _fit(other, prepared, checkpoint=path).resumed == 0


def test_patience_ends_a_training_that_gets_no_better(short: TrainParams, prepared: Path) -> None:
    params = override(short, {"epochs": 9, "patience": 2, "learning_rate": 1e-12})
    assert len(_fit(params, prepared).history) == 3


def test_a_loss_that_is_no_number_stops_the_training(short: TrainParams, prepared: Path) -> None:
    params = override(short, {"learning_rate": 1e30, "warmup_share": 0.0})
    with pytest.raises(ModelError, match=r"the loss became (nan|inf) .*lower train.learning_rate"):
        _fit(params, prepared)


def test_points_of_a_curve_add_up_to_the_epochs(
    short: TrainParams, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK", 0.0)
    monkeypatch.setattr(watch, "POINT", 0.0)
    points: list[watch.Point] = []
    params = override(short, {"epochs": 2, "batch_size": 9, "ema_decay": 0.9})
    history = fit(Job(params, prepared), _ignore, points.append).history
    assert [point.step for point in points] == [1, 2, 3, 4, 5, 6]
    for epoch, (a, b, c) in zip(history, (points[:3], points[3:]), strict=True):
        mean = (9 * a.loss + 9 * b.loss + 6 * c.loss) / 24
        assert mean == pytest.approx(epoch.metrics["loss"], rel=1e-5)
    assert points[-1].learning_rate < points[2].learning_rate
    assert all(point.images_per_second > 0 for point in points)


def test_the_shares_of_the_labels_count_while_training_only(
    short: TrainParams, prepared: Path
) -> None:
    still = override(short, {"epochs": 1, "learning_rate": 1e-12})
    plain = _fit(still, prepared).history[0].metrics
    adjusted = _fit(override(still, {"logit_adjustment": 2.0}), prepared).history[0].metrics
    assert adjusted["val_loss"] == pytest.approx(plain["val_loss"])
    assert adjusted["loss"] != pytest.approx(plain["loss"], rel=1e-3)


def test_too_little_memory_names_what_to_lower(short: TrainParams, prepared: Path) -> None:
    def exhaust(_: Epoch) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    with pytest.raises(
        ModelError, match="train.batch_size 12 does not fit.*lower train.batch_size"
    ):
        fit(Job(short, prepared), exhaust)


def test_fewer_images_are_enough_for_a_trial(short: TrainParams, prepared: Path) -> None:
    fitted = _fit(override(short, {"epochs": 1}), prepared, limit=7)
    assert len(fitted.history) == 1


def test_a_start_gives_its_weights(
    fitted: Fitted, short: TrainParams, prepared: Path, tmp_path: Path
) -> None:
    path = tmp_path / "earlier.keras"
    fitted.model.save(path)
    still = override(short, {"epochs": 1, "learning_rate": 1e-12})
    later = _fit(still, prepared, start=path)
    assert later.transferred is not None
    assert later.transferred.left == ()
    np.testing.assert_allclose(
        later.model.get_weights()[0], fitted.model.get_weights()[0], atol=1e-6
    )


def test_a_taxonomy_without_styles_trains_one_head(
    short: TrainParams, small: ImageParams, tmp_path: Path
) -> None:
    taxonomy = Taxonomy(styles=(), categories=(Label(name="a"), Label(name="b")))
    prepared = write_shards(tmp_path / "prepared", small, taxonomy=taxonomy)
    fitted = _fit(override(short, {"epochs": 1}), prepared)
    assert list(fitted.model.output) == ["category"]
    assert "category_accuracy" in fitted.history[0].metrics
    assert "val_style_macro_f1" not in fitted.history[0].metrics


@pytest.mark.parametrize("split", ["train", "val"])
def test_an_empty_split_is_named(
    split: str, short: TrainParams, small: ImageParams, tmp_path: Path
) -> None:
    prepared = write_shards(tmp_path / "prepared", small, **{split: 0})
    with pytest.raises(PreparedDataError, match=f"the {split} split is empty"):
        _fit(short, prepared)
