"""What a search may try is checked before anything is trained."""

from typing import Any

import pytest

from vitrine.core.errors import ParamsError
from vitrine.core.params import Params, TuneParams, override
from vitrine.training.space import check_space


def _tune(params: Params, key: str, values: dict[str, Any]) -> TuneParams:
    return override(params.tune, {"search": {key: values}})


def test_the_repositorys_own_search_is_allowed(params: Params) -> None:
    check_space(params.tune, params.train)


@pytest.mark.parametrize(
    ("key", "values", "words"),
    [
        ("epochs", {"low": 1, "high": 20}, r"search\.epochs cannot be searched.*tune\.epochs"),
        ("seed", {"low": 1, "high": 20}, r"search\.seed cannot be searched: .*luck"),
        ("backbone", {"low": 0, "high": 1}, r"train\.backbone is no number; give \{choices"),
        ("dropout", {"low": 0.1, "high": 1.5}, r"search\.dropout: .*less than 1, but got 1\.5"),
        ("optimizer", {"choices": ["adamw", "sgd"]}, r"search\.optimizer: .*but got 'sgd'"),
        ("batch_size", {"low": 1.5, "high": 80}, r"search\.batch_size: .*but got 1\.5"),
        ("learning_rate", {"low": 0.0, "high": 0.1, "log": True}, "low must be above 0 for log"),
        ("learning_rate", {"low": 0.1, "high": 0.2}, r"does not contain train\.learning_rate"),
        ("batch_size", {"choices": [8, 16]}, r"does not contain train\.batch_size, 64"),
    ],
)
def test_a_wrong_range_is_named(
    key: str, values: dict[str, Any], words: str, params: Params
) -> None:
    with pytest.raises(ParamsError, match=words):
        check_space(_tune(params, key, values), params.train)


@pytest.mark.parametrize(
    ("weights", "tune", "words"),
    [
        ("imagenet", {"epochs": 2}, r"tune\.epochs is 2, .*first 2 .*raise tune\.epochs above 2"),
        ("old.keras", {"epochs": 1}, r"with weights old\.keras only the heads learn"),
        (
            "none",
            {"epochs": 1, "search": {"weights": {"choices": ["none", "pretrained"]}}},
            r"with weights pretrained only the heads learn",
        ),
        (
            "pretrained",
            {"search": {"backbone": {"choices": ["small_resnet", "simple_cnn"]}}},
            r"search\.backbone cannot be searched with weights pretrained.*remove it",
        ),
    ],
)
def test_trials_that_say_nothing_of_the_training_are_refused(
    weights: str, tune: dict[str, Any], words: str, params: Params
) -> None:
    transfer = {"head_epochs": 2, "rate_decay": 0.5}
    train = override(params.train, {"weights": weights, "transfer": transfer})
    section = override(params.tune, {"search": {}, "trials": 3, "epochs": 3, **tune})
    with pytest.raises(ParamsError, match=words):
        check_space(section, train)
    check_space(override(section, {"trials": 0}), train)


@pytest.mark.parametrize(
    ("weights", "epochs"), [("none", 1), ("champion", 1), ("imagenet", 3), ("pretrained", 3)]
)
def test_trials_of_more_than_the_heads_are_allowed(
    weights: str, epochs: int, params: Params
) -> None:
    transfer = {"head_epochs": 2, "rate_decay": 0.5}
    train = override(params.train, {"weights": weights, "transfer": transfer})
    check_space(override(params.tune, {"search": {}, "trials": 3, "epochs": epochs}), train)
