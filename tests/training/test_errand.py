"""A search is another one where its trials begin with something else."""

from pathlib import Path

import pytest

from vitrine.core.errors import ModelError
from vitrine.core.params import Params, TrainParams, override
from vitrine.training.errand import Errand


@pytest.fixture
def weights(workplace: Path) -> Path:
    """A file that a training may begin with, and a pretrained backbone."""
    made = workplace / "artifacts/pretrain/model.keras"
    made.parent.mkdir(parents=True)
    for path in (made, workplace / "earlier.keras"):
        path.write_bytes(b"first")
    return workplace


def _digest(params: Params, train: TrainParams, prepared: Path, **search: object) -> str:
    tune = override(params.tune, {"search": search})
    return Errand(tune, train, prepared, "vitrine").digest()


@pytest.mark.parametrize(
    ("name", "path"),
    [("pretrained", "artifacts/pretrain/model.keras"), ("earlier.keras", "earlier.keras")],
)
def test_other_first_weights_make_another_search(
    name: str, path: str, weights: Path, params: Params, short: TrainParams, prepared: Path
) -> None:
    train = override(short, {"weights": name})
    before = _digest(params, train, prepared)
    assert _digest(params, train, prepared) == before
    (weights / path).write_bytes(b"second")
    assert _digest(params, train, prepared) != before


def test_first_weights_that_only_some_trials_have_count_as_well(
    weights: Path, params: Params, short: TrainParams, prepared: Path
) -> None:
    search = {"weights": {"choices": ["none", "pretrained"]}}
    before = _digest(params, short, prepared, **search)
    (weights / "earlier.keras").write_bytes(b"second")
    assert _digest(params, short, prepared, **search) == before
    (weights / "artifacts/pretrain/model.keras").write_bytes(b"second")
    assert _digest(params, short, prepared, **search) != before


def test_first_weights_that_are_missing_are_named_before_the_search(
    workplace: Path, params: Params, short: TrainParams, prepared: Path
) -> None:
    with pytest.raises(ModelError, match=r"train\.weights names gone\.keras, which is no file"):
        _digest(params, override(short, {"weights": "gone.keras"}), prepared)
