"""What a search may try. Checked before anything heavy is loaded."""

from collections.abc import Mapping
from typing import Any

from vitrine.core.errors import ParamsError
from vitrine.core.params import Range, TrainParams, TuneParams, override

FIXED = ("epochs", "min_steps", "patience")
"""Keys that a trial does not take from train: it runs `tune.epochs`."""


def whole(key: str) -> bool:
    """Say whether a key of train is a whole number."""
    return TrainParams.model_fields[key].annotation is int


def defaults(tune: TuneParams, train: TrainParams) -> dict[str, Any]:
    """Return train's own values of the searched keys."""
    return {key: getattr(train, key) for key in tune.search}


def starts(tune: TuneParams, train: TrainParams) -> list[str]:
    """Return what `weights` may be in a trial, train's own first."""
    searched = tune.search.get("weights")
    others = searched.choices if searched and searched.choices else ()
    return list(dict.fromkeys([train.weights, *map(str, others)]))


def check_space(tune: TuneParams, train: TrainParams) -> None:
    """Make sure that every value that a search can try is allowed, and that train's own is one.

    Raises:
        ParamsError: A range is not allowed, or its trials would say nothing of the training; the
            message names the key.
    """
    if tune.trials:
        _check_starts(tune, train)
    for key, values in tune.search.items():
        where = f"tune.search.{key}"
        if key in FIXED:
            raise ParamsError(
                f"{where} cannot be searched: every trial runs tune.epochs; remove it"
            )
        if key == "seed":
            raise ParamsError(f"{where} cannot be searched: the best seed is luck; remove it")
        default = getattr(train, key)
        if values.choices is None and (isinstance(default, bool | str)):
            raise ParamsError(f"{where}: train.{key} is no number; give {{choices: [...]}}")
        if values.log and not (values.low or 0) > 0:
            raise ParamsError(f"{where}: low must be above 0 for log, but got {values.low}")
        for value in values.choices or (values.low, values.high):
            _check_value(where, train, {key: value})
        if not _contains(values, default):
            raise ParamsError(
                f"{where} does not contain train.{key}, {default!r}, which every trial is "
                "compared with; widen the range"
            )


def _check_starts(tune: TuneParams, train: TrainParams) -> None:
    learned = [weights for weights in starts(tune, train) if weights not in ("none", "champion")]
    alone = train.transfer.head_epochs
    if learned and tune.epochs <= alone:
        raise ParamsError(
            f"tune.epochs is {tune.epochs}, and with weights {learned[0]} only the heads learn in "
            f"the first {alone} (train.transfer.head_epochs), so that a trial would say nothing of "
            f"the whole network: raise tune.epochs above {alone}, or set tune.trials to 0"
        )
    of_one = [weights for weights in learned if weights != "imagenet"]
    if of_one and "backbone" in tune.search:
        raise ParamsError(
            f"tune.search.backbone cannot be searched with weights {of_one[0]}, which are of one "
            "backbone; remove it, or let the weights be none or imagenet"
        )


def _check_value(where: str, train: TrainParams, value: Mapping[str, Any]) -> None:
    try:
        override(train, value)
    except ParamsError as error:
        raise ParamsError(f"{where}: {error}") from None


def _contains(values: Range, default: Any) -> bool:
    if values.choices is not None:
        return default in values.choices
    low, high = values.low, values.high
    return low is not None and high is not None and bool(low <= default <= high)
