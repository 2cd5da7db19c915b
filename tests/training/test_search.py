"""The search tries train's own values first, survives failures and a kill, and proves its best."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest

from vitrine.core.errors import ModelError
from vitrine.core.params import Params, TrainParams, TuneParams, override
from vitrine.training.attempt import Attempt
from vitrine.training.search import Search, searching
from vitrine.training.storage import locate

Report = Callable[[int, float], None]


@pytest.fixture
def tune(params: Params) -> TuneParams:
    search = {"learning_rate": {"low": 0.001, "high": 0.1}, "batch_size": {"choices": [32, 64]}}
    return override(params.tune, {"trials": 4, "search": search})


@pytest.fixture
def train(params: Params) -> TrainParams:
    return params.train


@pytest.fixture(scope="module")
def empty_study(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables of a study: making them takes most of a second."""
    folder = tmp_path_factory.mktemp("empty")
    with searching(locate("local", folder, "test"), params.tune, params.train):
        return folder / "test.db"


@pytest.fixture
def folder(empty_study: Path, tmp_path: Path) -> Path:
    shutil.copyfile(empty_study, tmp_path / "test.db")
    return tmp_path


@contextmanager
def _search(folder: Path, tune: TuneParams, train: TrainParams) -> Iterator[Search]:
    with searching(locate("local", folder, "test"), tune, train) as search:
        yield search


def _rate(_: int, values: Mapping[str, Any], __: Report) -> float:
    return float(values["learning_rate"])


def _unseen(_: Attempt) -> None: ...


def _confirmed(search: Search) -> tuple[float | None, float | None]:
    confirmation = search.confirmation()
    assert confirmation is not None
    return confirmation.own.score, confirmation.better.score


def test_the_own_values_come_first_and_the_best_win_if_they_do_so_again(
    tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    with _search(folder, tune, train) as search:
        told: list[Attempt] = []
        search.run(_rate, told.append)
        first, *others = search.attempts
        assert told == [first, *others]
        assert first.values == {"learning_rate": 0.003, "batch_size": 64}
        assert [attempt.number for attempt in others] == [2, 3, 4]
        top = max(attempt.values["learning_rate"] for attempt in others)
        assert search.scores() == (0.003, top)

        search.confirm(_rate, told.append)
        assert [dict(attempt.values)["learning_rate"] for attempt in told[4:]] == [0.003, top]
        assert _confirmed(search) == (0.003, top)
        assert search.best()["learning_rate"] == top


def test_a_best_by_luck_is_not_taken(tune: TuneParams, train: TrainParams, folder: Path) -> None:
    with _search(folder, tune, train) as search:
        search.run(_rate, _unseen)
        search.confirm(lambda number, values, report: 0.5, _unseen)
        assert _confirmed(search) == (0.5, 0.5)
        assert search.best() == {}


def test_best_values_whose_confirmation_fails_are_not_taken(
    tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    def fail_the_best(number: int, values: Mapping[str, Any], report: Report) -> float:
        if number == 2:
            raise ModelError("the loss became nan")
        return 0.5

    with _search(folder, tune, train) as search:
        search.run(_rate, _unseen)
        search.confirm(fail_the_best, _unseen)
        assert _confirmed(search) == (0.5, None)
        assert search.best() == {}


def test_values_that_are_no_better_are_not_taken_and_nothing_is_confirmed(
    tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    with _search(folder, tune, train) as search:
        search.run(lambda number, values, report: 0.5, _unseen)
        search.confirm(pytest.fail, _unseen)
        assert search.confirmation() is None
        assert search.best() == {}


def test_an_interrupted_search_goes_on_with_the_same_values(
    tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    tried = []

    def stop_at_3(number: int, values: Mapping[str, Any], report: Report) -> float:
        tried.append((number, values["learning_rate"]))
        if len(tried) == 3:
            raise KeyboardInterrupt
        return _rate(number, values, report)

    with _search(folder, tune, train) as search:
        search.run_id = "a run"
        with pytest.raises(KeyboardInterrupt):
            search.run(stop_at_3, _unseen)
    with _search(folder, tune, train) as again:
        assert again.run_id == "a run"
        assert [attempt.number for attempt in again.attempts] == [1, 2]
        again.run(stop_at_3, _unseen)
        assert [number for number, _ in tried] == [1, 2, 3, 3, 4]
        assert tried[2] == tried[3]
        assert len({rate for _, rate in tried}) == 4
        assert [attempt.state for attempt in again.attempts] == ["complete"] * 4


def test_a_trial_whose_worker_died_before_a_sign_of_life_is_tried_again(
    tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    with _search(folder, tune, train) as search:
        study = optuna.load_study(study_name="test", storage=f"sqlite:///{folder}/test.db")
        study.enqueue_trial({}, user_attrs={"number": 2})
        study.ask()
        with closing(sqlite3.connect(folder / "test.db")) as file:
            file.execute("UPDATE trials SET datetime_start = '2020-01-01 00:00:00'")
            file.commit()
        search.run(_rate, _unseen)
        assert [attempt.number for attempt in search.attempts] == [1, 2, 3, 4]


def test_more_trials_go_on_with_those_that_were(
    tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    numbers = []

    def count(number: int, values: Mapping[str, Any], report: Report) -> float:
        numbers.append(number)
        return _rate(number, values, report)

    for trials in (2, 4):
        with _search(folder, override(tune, {"trials": trials}), train) as search:
            search.run(count, _unseen)
    assert numbers == [1, 2, 3, 4]


def test_a_trial_that_fails_does_not_end_the_search(
    tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    def fail_at_2(number: int, values: Mapping[str, Any], report: Report) -> float:
        if number == 2:
            raise ModelError("the loss became nan")
        return _rate(number, values, report)

    with _search(folder, tune, train) as search:
        search.run(fail_at_2, _unseen)
        states = [attempt.state for attempt in search.attempts]
        assert states == ["complete", "fail", "complete", "complete"]
        assert search.attempts[1].describe().endswith(": failed, the loss became nan")


def test_own_values_that_fail_end_the_search_until_they_are_mended(
    tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    def fail(number: int, values: Mapping[str, Any], report: Report) -> float:
        raise ModelError("the loss became nan")

    with _search(folder, tune, train) as search, pytest.raises(ModelError, match="became nan"):
        search.run(fail, _unseen)
    with _search(folder, tune, train) as again:
        again.run(_rate, _unseen)
        assert [attempt.number for attempt in again.attempts] == [1, 2, 3, 4]


def test_a_hopeless_trial_is_pruned(tune: TuneParams, train: TrainParams, folder: Path) -> None:
    def worse_and_worse(number: int, values: Mapping[str, Any], report: Report) -> float:
        score = 1.0 - number / 10
        report(1, score)
        return score

    with _search(folder, override(tune, {"trials": 7}), train) as search:
        search.run(worse_and_worse, _unseen)
        assert len(search.attempts) == 7
        last = search.attempts[-1]
        assert (last.state, last.note) == ("pruned", "others did better")
        assert last.describe().endswith(": ended at val macro F1 0.300, others did better")
        assert search.best() == {}


def test_when_the_time_is_over_a_trial_ends_with_its_epoch_and_none_begins(
    tune: TuneParams, train: TrainParams, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: clock[0])

    def epochs_of_20_seconds(number: int, values: Mapping[str, Any], report: Report) -> float:
        for epoch in (1, 2):
            clock[0] += 20
            report(epoch, 0.5)
        return 0.5

    limited = override(tune, {"trials": 8, "minutes": 1.5})
    with _search(folder, limited, train) as search:
        search.run(epochs_of_20_seconds, _unseen)
        states = [(a.state, a.seconds, a.note) for a in search.attempts]
        assert states[:2] == [("complete", 40, ""), ("complete", 40, "")]
        assert states[2:] == [("pruned", 20, "the time was over")]
        assert search.seconds_left() == 0
    # The time between two runs does not count, that of the first run does.
    clock[0] += 1000
    with _search(folder, override(limited, {"minutes": 2}), train) as again:
        assert again.seconds_left() == 20
        again.run(epochs_of_20_seconds, _unseen)
        assert [a.state for a in again.attempts] == [*["complete"] * 2, "pruned", "pruned"]


def test_the_own_values_are_measured_however_little_time_there_is(
    tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    def report_twice(number: int, values: Mapping[str, Any], report: Report) -> float:
        report(1, 0.4)
        report(2, 0.5)
        return 0.5

    with _search(folder, override(tune, {"minutes": 1e-9}), train) as search:
        search.run(report_twice, _unseen)
        assert [(a.number, a.state) for a in search.attempts] == [(1, "complete")]
        assert search.scores() == (0.5, 0.5)


def test_the_key_that_makes_the_difference_is_the_important_one(
    tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    with _search(folder, override(tune, {"trials": 8}), train) as search:
        search.run(_rate, _unseen)
        importance = search.importance()
        assert list(importance) == ["learning_rate", "batch_size"]
        assert sum(importance.values()) == pytest.approx(1)


@pytest.mark.parametrize(("trials", "score"), [(3, None), (5, 0.5)])
def test_few_trials_or_equal_ones_say_nothing_about_importance(
    trials: int, score: float | None, tune: TuneParams, train: TrainParams, folder: Path
) -> None:
    def measure(number: int, values: Mapping[str, Any], report: Report) -> float:
        return _rate(number, values, report) if score is None else score

    with _search(folder, override(tune, {"trials": trials}), train) as search:
        search.run(measure, _unseen)
        assert search.importance() == {}
