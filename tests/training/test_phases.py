"""A pretrained backbone: the heads learn alone at first, then all, by stages."""

from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import keras
import numpy as np
import pytest

from shards import write_shards
from vitrine.core.errors import ModelError
from vitrine.core.params import ImageParams, TrainParams, override
from vitrine.inputs.summary import Summary
from vitrine.training import start
from vitrine.training.fit import Fitted, fit
from vitrine.training.history import Epoch
from vitrine.training.phases import Phase, phases
from vitrine.training.trainer import Job, network


def _ignore(_: Epoch) -> None:
    pass


def _params(short: TrainParams, head_epochs: int, **changes: object) -> TrainParams:
    transfer = {"head_epochs": head_epochs, "rate_decay": 0.5}
    return override(short, {"weights": "earlier.keras", "transfer": transfer, **changes})


@pytest.mark.parametrize(
    ("weights", "head_epochs", "expected"),
    [
        ("none", 2, [Phase(1, 5, frozen=False, rate_decay=1.0)]),
        ("champion", 2, [Phase(1, 5, frozen=False, rate_decay=1.0)]),
        ("imagenet", 0, [Phase(1, 5, frozen=False, rate_decay=0.5)]),
        (
            "pretrained",
            2,
            [Phase(1, 2, frozen=True, rate_decay=1.0), Phase(3, 3, frozen=False, rate_decay=0.5)],
        ),
        ("old/model.keras", 9, [Phase(1, 5, frozen=True, rate_decay=1.0)]),
    ],
)
def test_the_phases_are_as_many_epochs_as_the_training(
    weights: str, head_epochs: int, expected: list[Phase], short: TrainParams
) -> None:
    assert phases(_params(short, head_epochs, weights=weights, epochs=5), 5) == expected


@pytest.mark.parametrize(
    ("head_epochs", "epochs", "alone"), [(1, 5, 1), (1, 8, 2), (2, 40, 16), (0, 40, 0), (9, 40, 40)]
)
def test_the_heads_learn_alone_for_their_share_of_more_epochs(
    head_epochs: int, epochs: int, alone: int, short: TrainParams
) -> None:
    found = phases(_params(short, head_epochs, epochs=5), epochs)
    assert sum(phase.epochs for phase in found if phase.frozen) == alone
    assert sum(phase.epochs for phase in found) == epochs


@pytest.fixture(scope="module")
def earlier(short: TrainParams, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that something else has made."""
    keras.utils.set_random_seed(5)
    path = tmp_path_factory.mktemp("earlier") / "model.keras"
    network(short, Summary.load(prepared), pretrained=False).save(path)
    return path


def _changed(fitted: Fitted, path: Path) -> set[str]:
    before = keras.models.load_model(path)
    return {
        layer.name
        for layer in fitted.model.layers
        if layer.weights
        for now, then in zip(
            layer.get_weights(), before.get_layer(layer.name).get_weights(), strict=True
        )
        if not np.array_equal(now, then)
    }


def test_in_the_second_phase_everything_changes(
    short: TrainParams, prepared: Path, earlier: Path
) -> None:
    # The first step of the warm-up is at a rate of zero.
    fitted = fit(Job(_params(short, 1, epochs=3), prepared, earlier), _ignore)
    changed = {"block1_conv", "block2_conv", "embedding", "style", "category"}
    assert _changed(fitted, earlier) == changed


@pytest.mark.slow
@pytest.mark.parametrize("head_epochs", [1, 2])
def test_an_interrupted_training_goes_on_in_its_phase(
    head_epochs: int, short: TrainParams, prepared: Path, earlier: Path, tmp_path: Path
) -> None:
    params = _params(short, head_epochs, epochs=4, patience=9, ema_decay=0.9)
    job = Job(params, prepared, earlier, checkpoint=tmp_path / "checkpoint.npz")

    def interrupt(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(job, interrupt)
    resumed = fit(job, _ignore)
    assert resumed.resumed == 2
    whole = fit(Job(params, prepared, earlier), _ignore)
    assert [epoch.metrics for epoch in resumed.history] == [e.metrics for e in whole.history]
    for mine, expected in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_patience_waits_for_the_second_phase(
    short: TrainParams, prepared: Path, earlier: Path
) -> None:
    params = _params(short, 3, epochs=9, patience=1, learning_rate=1e-12)
    assert len(fit(Job(params, prepared, earlier), _ignore).history) == 4


def test_of_a_few_images_the_heads_and_the_patience_have_more_epochs(
    short: TrainParams, prepared: Path, earlier: Path
) -> None:
    # One step an epoch: 6 epochs instead of 3, two of the heads alone, and a patience of two.
    changes = {"epochs": 3, "min_steps": 6, "batch_size": 24, "patience": 1}
    params = _params(short, 1, learning_rate=1e-12, **changes)
    assert len(fit(Job(params, prepared, earlier), _ignore).history) == 4


@pytest.mark.slow
def test_a_layer_that_was_not_taken_over_learns_with_the_heads(
    short: TrainParams, small: ImageParams, earlier: Path, tmp_path: Path
) -> None:
    # The embedding of another image size has another shape.
    larger = write_shards(tmp_path / "prepared", override(small, {"height": 48, "width": 48}))
    job = Job(_params(short, 2, epochs=2), larger, earlier)
    fitted = fit(job, _ignore)
    assert fitted.transferred is not None
    assert fitted.transferred.left == ("embedding",)
    still = fit(replace(job, params=override(job.params, {"learning_rate": 1e-12})), _ignore)
    for name, changes in (("block2_conv", False), ("embedding", True), ("style", True)):
        moved = fitted.model.get_layer(name).kernel - still.model.get_layer(name).kernel
        assert (np.abs(moved).max() > 1e-5) == changes, name


def test_a_backbone_that_was_never_pretrained_is_named(workplace: Path, short: TrainParams) -> None:
    with pytest.raises(
        ModelError,
        match=r"train.weights is pretrained, but artifacts/pretrain/model\.keras is missing: set "
        "pretrain.method",
    ):
        start.start(override(short, {"weights": "pretrained"}), "vitrine")
    made = workplace / "artifacts/pretrain/model.keras"
    made.parent.mkdir(parents=True)
    made.touch()
    assert start.start(override(short, {"weights": "pretrained"}), "vitrine") == Path(
        "artifacts/pretrain/model.keras"
    )


@pytest.mark.slow
def test_only_the_heads_of_a_network_from_imagenet_change_in_the_first_phase(
    short: TrainParams, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Weights that this test made, in the place of the published ones.
    params = _params(short, 1, weights="imagenet", backbone="MobileNetV3Small", epochs=1)
    summary = Summary.load(prepared)
    keras.utils.set_random_seed(7)
    made = keras.applications.MobileNetV3Small(
        input_shape=(None, None, 3), include_top=False, include_preprocessing=False, weights=None
    )
    path = tmp_path / "published.weights.h5"
    made.save_weights(path)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(path))
    learned = network(params, summary, pretrained=True)
    assert np.array_equal(learned.get_layer("conv").kernel, made.get_layer("conv").kernel)
    before = tmp_path / "before.keras"
    learned.save(before)
    assert _changed(fit(Job(params, prepared), _ignore), before) == {"style", "category"}


def test_without_a_network_the_weights_of_imagenet_are_one_clear_line(
    short: TrainParams, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", offline)
    monkeypatch.setattr("keras.src.backend.config.keras_home", lambda: str(tmp_path))
    params = _params(short, 1, weights="imagenet", backbone="MobileNetV3Small")
    with pytest.raises(
        ModelError, match=r"cannot be fetched: .*set train.weights to none"
    ) as found:
        fit(Job(params, prepared), _ignore)
    assert "\n" not in str(found.value)
