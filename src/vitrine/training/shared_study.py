"""A study that several workers, here or on other machines, go through together.

Every trial has a number that it keeps when it is tried again, so that there are never more trials
than asked for, however many workers there are and however many of them die.
"""

import fcntl
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from vitrine.core.errors import ModelError
from vitrine.core.params import Range
from vitrine.training import marks
from vitrine.training.attempt import Attempt
from vitrine.training.budget import spent
from vitrine.training.space import whole
from vitrine.training.storage import GRACE

POLL = 1.0
"""A worker that has nothing to do looks so often whether a trial lost its worker: seconds."""

Report = Callable[[int, float], None]
"""Takes an epoch's number and its score; may end the trial."""
Measure = Callable[[int, Mapping[str, Any], Report], float]
"""Takes a trial's number, its values, and whom to tell the score after an epoch, which may end
the trial; returns the score."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study is to try.

    Args:
        first: The values of its first trials. The very first are those of train, whose failure
            ends it all.
        trials: How many there are, these included.
        ranges: What the others are drawn from, by key of train.
        seed: Of what is drawn.
        seconds: After so many seconds of training no trial begins, and those that run end with
            their epoch, except the very first; 0 = no limit.
        prunes: Whether trials without hope are ended.
    """

    first: Sequence[Mapping[str, Any]]
    trials: int
    ranges: Mapping[str, Range]
    seed: int
    seconds: float
    prunes: bool


class _LeftToOthers(Exception):
    """Another worker has this trial, or nobody has to do it."""


class SharedStudy:
    """A study in a database. Whoever opens it can work on it until nothing is left.

    Args:
        storage: The database.
        lock: The file to lock while a trial is taken; None where the database does that.
        name: Of the study; made if it is not there.
        plan: What is to be tried.
    """

    def __init__(
        self, storage: optuna.storages.RDBStorage, lock: Path | None, name: str, plan: Plan
    ) -> None:
        self._plan, self._lock = plan, lock
        self.study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner() if plan.prunes else optuna.pruners.NopPruner(),
        )
        # What made train's own values fail before may have been mended.
        self._mended = {t.number for t in self._trials() if _is_first(t) and _failed(t)}
        self._taking = ExitStack()
        self._collided = False
        self._handed_in = False

    @property
    def attempts(self) -> list[Attempt]:
        """The trials that have come to their end, by number."""
        ended = (t for t in self._trials() if t.state in marks.ENDED and self._counts(t))
        return sorted((marks.attempt(t) for t in ended), key=lambda attempt: attempt.number)

    def seconds_left(self) -> float | None:
        """Return how much of the time is left, at least 0; None without a limit."""
        if not self._plan.seconds:
            return None
        return max(0.0, self._plan.seconds - spent(marks.spans(self._trials())))

    def work(self, measure: Measure, on_end: Callable[[Attempt], None]) -> None:
        """Try values until there is nothing to do, and nobody else has anything to do either.

        A trial whose training fails counts as failed, and the study goes on without it. One whose
        worker is killed is tried again, with the same values.

        Args:
            measure: Trains with some values.
            on_end: Told of each trial that this worker brought to its end.

        Raises:
            ModelError: The training with train's own values fails.
        """

        def told(_: optuna.Study, trial: FrozenTrial) -> None:
            if self._counts(trial):
                on_end(marks.attempt(trial))

        with self._taking:
            while (number := self._next()) is not None:
                self._seed(number)
                self._handed_in = False
                try:
                    self.study.optimize(
                        partial(self._objective, measure),
                        n_trials=1,
                        catch=(ModelError, _LeftToOthers),
                        callbacks=[told],
                    )
                except (ValueError, UpdateFinishedTrialError):
                    # Optuna takes no result for a trial that it has given to another worker.
                    if not self._handed_in:
                        raise
                finally:
                    self._taking.close()

    def _seed(self, number: int) -> None:
        # A seed a number: workers draw different values, and a resumed search the same ones.
        self.study.sampler = optuna.samplers.TPESampler(seed=self._plan.seed + number)

    def _next(self) -> int | None:
        while True:
            if self._lock:
                file = self._taking.enter_context(self._lock.open("w"))
                fcntl.flock(file, fcntl.LOCK_EX)
            optuna.storages.fail_stale_trials(self.study)
            self._free_unheard_of()
            trials = self._trials()
            self._check_first(trials)
            if due := self._due(trials):
                # Who has met others at the first of them will not meet them all at the second.
                number = random.choice(due) if self._collided else due[0]  # noqa: S311
                if not any(t.state == TrialState.WAITING for t in trials):
                    self._enqueue(number, self._values(number))
                return number
            self._taking.close()
            if not any(t.state == TrialState.RUNNING for t in trials):
                return None
            time.sleep(POLL)

    def _free_unheard_of(self) -> None:
        # Optuna overlooks a trial whose worker was killed before its first sign of life.
        latest = datetime.now() - timedelta(seconds=GRACE)
        for trial in self._trials():
            begun = trial.datetime_start
            if trial.state != TrialState.RUNNING or marks.is_heard_of(trial) or begun > latest:
                continue
            with suppress(ValueError, UpdateFinishedTrialError):
                self.study.tell(trial.number, state=TrialState.FAIL)

    def _check_first(self, trials: Iterable[FrozenTrial]) -> None:
        for trial in trials:
            if _is_first(trial) and _failed(trial) and self._counts(trial):
                raise ModelError(f"the values of train cannot be tried: {marks.note(trial)}")

    def _due(self, trials: Sequence[FrozenTrial]) -> list[int]:
        begun = (t for t in trials if t.state != TrialState.WAITING and self._counts(t))
        taken = {marks.number(t) for t in begun}
        last = 1 if self._is_over(trials) else self._plan.trials
        return [number for number in range(1, last + 1) if number not in taken]

    def _values(self, number: int) -> Mapping[str, Any]:
        first = self._plan.first
        return first[number - 1] if number <= len(first) else {}

    def _enqueue(self, number: int, values: Mapping[str, Any]) -> None:
        self.study.enqueue_trial(dict(values), user_attrs={marks.NUMBER: number})

    def _objective(self, measure: Measure, trial: Trial) -> float:
        try:
            self._collided = self._is_not_ours(trial)
            if self._collided:
                trial.set_user_attr(marks.UNCOUNTED, True)
                raise _LeftToOthers
            score = self._try(measure, trial)
        except (ModelError, _LeftToOthers, optuna.TrialPruned, UpdateFinishedTrialError):
            self._handed_in = True
            raise
        self._handed_in = True
        return score

    def _is_not_ours(self, trial: Trial) -> bool:
        number, trials = trial.user_attrs.get(marks.NUMBER), self._trials()
        if number is None or number > (1 if self._is_over(trials) else self._plan.trials):
            return True
        earlier = (t for t in trials if t.number < trial.number and marks.number(t) == number)
        return any(self._counts(t) for t in earlier)

    def _try(self, measure: Measure, trial: Trial) -> float:
        number, begun = trial.user_attrs[marks.NUMBER], time.time()
        # Another worker may have asked for this number.
        self._seed(number)
        values = {key: _suggest(trial, key, r) for key, r in self._plan.ranges.items()}
        for mark, value in ((marks.LASTED, 0.0), (marks.BEGUN, begun), (marks.HEARD, trial.number)):
            trial.set_user_attr(mark, value)
        self._taking.close()

        def report(epoch: int, score: float) -> None:
            trial.report(score, epoch)
            trial.set_user_attr(marks.LASTED, time.time() - begun)
            if number == 1:
                return
            over = self._is_over(self._trials())
            if over or trial.should_prune():
                trial.set_user_attr(
                    marks.NOTE, "the time was over" if over else "others did better"
                )
                raise optuna.TrialPruned

        try:
            return measure(number, values, report)
        except ModelError as error:
            trial.set_user_attr(marks.NOTE, str(error))
            raise
        except KeyboardInterrupt:
            trial.set_user_attr(marks.UNCOUNTED, True)
            self._enqueue(number, trial.params)
            raise

    def _is_over(self, trials: Iterable[FrozenTrial]) -> bool:
        limit = self._plan.seconds
        return limit > 0 and spent(marks.spans(trials)) >= limit

    def _counts(self, trial: FrozenTrial) -> bool:
        return trial.number not in self._mended and marks.counts(trial)

    def _trials(self) -> list[FrozenTrial]:
        trials: list[FrozenTrial] = self.study.get_trials(deepcopy=False)
        return trials


def _is_first(trial: FrozenTrial) -> bool:
    return marks.number(trial) == 1


def _failed(trial: FrozenTrial) -> bool:
    return bool(trial.state == TrialState.FAIL)


def _suggest(trial: Trial, key: str, values: Range) -> Any:
    if values.choices is not None:
        return trial.suggest_categorical(key, values.choices)
    if whole(key):
        return trial.suggest_int(key, values.low, values.high, log=values.log)
    return trial.suggest_float(key, values.low, values.high, log=values.log)
