"""The search tries train's own values first, survives failures and a kill, and takes the best."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest

from vitrine.core.errors import ModelError
from vitrine.core.params import Params, TrainParams, TuneParams, override
from vitrine.training.search import Search

Report = Callable[[int, float], None]


@pytest.fixture
def tune(params: Params) -> TuneParams:
    search = {"learning_rate": {"low": 0.001, "high": 0.1}, "batch_size": {"choices": [32, 64]}}
    return override(params.tune, {"trials": 4, "search": search})


def _search(folder: Path, tune: TuneParams, train: TrainParams) -> Search:
    return Search(folder / "tune.db", tune, train)


def _rate(_: int, values: Mapping[str, Any], __: Report) -> float:
    return float(values["learning_rate"])


def test_the_own_values_come_first_and_the_best_win(
    tune: TuneParams, params: Params, tmp_path: Path
) -> None:
    search = _search(tmp_path, tune, params.train)
    search.run(_rate)
    first, *others = search.trials
    assert first.params == {"learning_rate": 0.003, "batch_size": 64}
    assert len(others) == 3
    top = max(trial.params["learning_rate"] for trial in others)
    assert search.best()["learning_rate"] == top
    assert search.scores() == (0.003, top)


def test_values_that_are_no_better_are_not_taken(
    tune: TuneParams, params: Params, tmp_path: Path
) -> None:
    search = _search(tmp_path, tune, params.train)
    search.run(lambda number, values, report: 0.5)
    assert search.best() == {}


def test_a_search_goes_on_after_a_kill(tune: TuneParams, params: Params, tmp_path: Path) -> None:
    def stop_at_2(number: int, values: Mapping[str, Any], report: Report) -> float:
        if number == 2:
            raise KeyboardInterrupt
        return _rate(number, values, report)

    search = _search(tmp_path, tune, params.train)
    search.run_id = "a run"
    with pytest.raises(KeyboardInterrupt):
        search.run(stop_at_2)
    again = _search(tmp_path, tune, params.train)
    assert again.run_id == "a run"
    assert again.finished == 2
    again.run(_rate)
    states = [trial.state.name for trial in again.trials]
    assert states == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    rates = [trial.params["learning_rate"] for trial in again.trials]
    assert len(set(rates)) == 5


def test_a_search_killed_in_its_first_trial_still_measures_the_own_values(
    tune: TuneParams, params: Params, tmp_path: Path
) -> None:
    def stop(number: int, values: Mapping[str, Any], report: Report) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _search(tmp_path, tune, params.train).run(stop)
    again = _search(tmp_path, tune, params.train)
    again.run(_rate)
    assert again.scores()[0] == 0.003


def test_a_trial_that_fails_does_not_end_the_search(
    tune: TuneParams, params: Params, tmp_path: Path
) -> None:
    def fail_at_1(number: int, values: Mapping[str, Any], report: Report) -> float:
        if number == 1:
            raise ModelError("the loss became nan")
        return _rate(number, values, report)

    search = _search(tmp_path, tune, params.train)
    search.run(fail_at_1)
    assert [trial.state.name for trial in search.trials] == ["COMPLETE", "FAIL", *["COMPLETE"] * 2]


def test_own_values_that_fail_end_the_search(
    tune: TuneParams, params: Params, tmp_path: Path
) -> None:
    def fail(number: int, values: Mapping[str, Any], report: Report) -> float:
        raise ModelError("the loss became nan")

    with pytest.raises(ModelError, match="became nan"):
        _search(tmp_path, tune, params.train).run(fail)


def test_a_hopeless_trial_is_pruned(tune: TuneParams, params: Params, tmp_path: Path) -> None:
    def worse_and_worse(number: int, values: Mapping[str, Any], report: Report) -> float:
        score = 1.0 - number / 10
        report(1, score)
        return score

    search = _search(tmp_path, override(tune, {"trials": 8}), params.train)
    search.run(worse_and_worse)
    assert search.trials[-1].state == optuna.trial.TrialState.PRUNED
    assert search.finished == 8
    assert search.best() == {}
