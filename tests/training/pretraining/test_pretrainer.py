"""A pretraining learns without labels, repeats itself, goes on, and fails in clear words."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from shards import TAXONOMY, write_shards
from vitrine.core.errors import ModelError, PreparedDataError
from vitrine.core.params import ImageParams, Params, PretrainParams, TrainParams, override
from vitrine.core.taxonomy import UNKNOWN, Head
from vitrine.inputs.records import Record, decode, read_frames
from vitrine.inputs.shards import write_split
from vitrine.inputs.summary import Summary
from vitrine.models import build, transfer
from vitrine.models.simclr import SimCLR
from vitrine.training.history import Epoch
from vitrine.training.pretraining import Plan, Pretrained, pretrain
from vitrine.training.pretraining.images import batches, count
from vitrine.training.watch import Point

Run = Callable[..., Pretrained]
UNLABELLED: dict[Head, int] = {"style": UNKNOWN, "category": UNKNOWN}


def _ignore(_: Epoch | Point) -> None:
    pass


@pytest.fixture(scope="module")
def section(params: Params) -> PretrainParams:
    """Three epochs of three steps."""
    changes = {"method": "simclr", "epochs": 3, "batch_size": 8, "projection": 16}
    return override(params.pretrain, changes)


@pytest.fixture(scope="module")
def run(
    section: PretrainParams, short: TrainParams, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    def go(
        prepared: Path,
        on_epoch: Callable[[Epoch], None] = _ignore,
        checkpoint: Path | None = None,
        on_point: Callable[[Point], None] = _ignore,
        **changes: Any,
    ) -> Pretrained:
        checkpoint = checkpoint or tmp_path_factory.mktemp("state") / "checkpoint.npz"
        plan = Plan(override(section, changes), short, prepared, checkpoint)
        return pretrain(plan, on_epoch, on_point)

    return go


@pytest.fixture(scope="module")
def pretrained(run: Run, prepared: Path) -> Pretrained:
    """What a pretraining makes that nothing interrupts; for reading only."""
    return run(prepared)


def _same(first: Pretrained, second: Pretrained) -> bool:
    weights = zip(first.model.get_weights(), second.model.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in weights)


def test_labels_are_asked_after_the_first_and_the_last_epoch(pretrained: Pretrained) -> None:
    probes = {"val_style_knn_accuracy", "val_category_knn_accuracy"}
    assert [epoch.number for epoch in pretrained.history] == [1, 2, 3]
    assert [probes <= set(epoch.metrics) for epoch in pretrained.history] == [True, False, True]
    assert all({"loss", "spread"} <= set(epoch.metrics) for epoch in pretrained.history)
    assert all(0 <= pretrained.history[-1].metrics[name] <= 1 for name in probes)


def test_a_network_of_the_backbone_takes_over_all_but_its_heads(
    pretrained: Pretrained, short: TrainParams, tmp_path: Path
) -> None:
    path = tmp_path / "model.keras"
    pretrained.model.save(path)
    classes = {"style": 2, "category": 3}
    network = build(short.backbone, image_shape=(32, 32, 3), classes=classes, dropout=0.2)
    taken = transfer(network, path, {})
    assert set(taken.left) == {"style", "category"}
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    embedding = keras.Model(network.input, network.get_layer("embedding").output)
    np.testing.assert_allclose(embedding(images), pretrained.model(images), rtol=1e-5)


def test_the_curves_go_on_within_the_epochs(
    run: Run, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitrine.training.watch.POINT", 0.0)
    points: list[Point] = []
    run(prepared, on_point=points.append, epochs=2)
    assert points[-1].step == 6
    assert all(point.loss > 0 and point.images_per_second > 0 for point in points)


def _records(folder: Path, split: str) -> list[Record]:
    paths = Summary.load(folder).shard_paths(folder, split)
    return [decode(data, (32, 32, 3)) for path in paths for data in read_frames(path)]


def test_val_and_labels_change_nothing(
    pretrained: Pretrained, run: Run, small: ImageParams, tmp_path: Path
) -> None:
    # The same pixels in train, which are drawn first.
    folder = write_shards(tmp_path, small, val=5)
    bare = [replace(record, labels=UNLABELLED) for record in _records(folder, "train")]
    made = write_split(folder / "train", bare, TAXONOMY, images=len(bare), shards=2)
    summary = Summary.load(folder)
    summary.model_copy(update={"splits": {**summary.splits, "train": made}}).save(folder)
    again = run(folder)
    assert set(again.history[-1].metrics) == {"loss", "spread"}
    assert _same(pretrained, again)


def test_an_interrupted_one_ends_as_one_that_was_not(
    pretrained: Pretrained, run: Run, prepared: Path, tmp_path: Path
) -> None:
    def interrupt(epoch: Epoch) -> None:
        raise KeyboardInterrupt

    checkpoint = tmp_path / "checkpoint.npz"
    with pytest.raises(KeyboardInterrupt):
        run(prepared, interrupt, checkpoint)
    again = run(prepared, checkpoint=checkpoint)
    assert again.resumed == 1
    assert [epoch.number for epoch in again.history] == [1, 2, 3]
    assert _same(pretrained, again)


def _add_split(folder: Path, split: str, pixels: np.ndarray) -> None:
    records = [Record(f"{split}-{i}", image, UNLABELLED) for i, image in enumerate(pixels)]
    made = write_split(folder / split, records, TAXONOMY, images=len(records), shards=1)
    summary = Summary.load(folder)
    summary.model_copy(update={"splits": {**summary.splits, split: made}}).save(folder)


def test_images_without_any_label_are_mixed_among_the_others(
    small: ImageParams, tmp_path: Path
) -> None:
    folder = write_shards(tmp_path, small)
    _add_split(folder, "unlabelled", np.full((16, 32, 32, 3), 255, np.uint8))
    first, again = ([b.numpy() for b in batches(folder, batch_size=8, seed=s)] for s in (1, 1))
    assert count(Summary.load(folder)) == 40
    assert [len(batch) for batch in first] == [8] * 5
    unlabelled = [int((batch == 255).all(axis=(1, 2, 3)).sum()) for batch in first]
    assert sum(unlabelled) == 16
    assert max(unlabelled) < 8
    np.testing.assert_array_equal(first, again)


def test_one_image_cannot_be_told_from_others(run: Run, small: ImageParams, tmp_path: Path) -> None:
    with pytest.raises(PreparedDataError, match="train has 1: .*set pretrain.method to none"):
        run(write_shards(tmp_path, small, train=1))


def test_a_loss_that_is_no_number_stops_it(run: Run, prepared: Path) -> None:
    with pytest.raises(ModelError, match="diverged; lower pretrain.learning_rate"):
        run(prepared, learning_rate=1e30, warmup_share=0.0)


def test_a_collapse_stops_it(run: Run, small: ImageParams, tmp_path: Path) -> None:
    folder = write_shards(tmp_path, small)
    # Of nothing but grey, all views are the same.
    _add_split(folder, "train", np.full((16, 32, 32, 3), 128, np.uint8))
    with pytest.raises(ModelError, match="collapsed: after epoch 1 all images look alike"):
        run(folder, color=0.0)


def test_too_large_a_batch_is_explained(
    run: Run, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(SimCLR, "fit", full)
    with pytest.raises(ModelError, match="pretrain.batch_size 8 does not fit into the memory"):
        run(prepared)
