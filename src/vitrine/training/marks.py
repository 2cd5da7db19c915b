"""What Vitrine writes on the trials of a study, and reads there."""

import time
from collections.abc import Iterable

from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState

from vitrine.training.attempt import Attempt, State
from vitrine.training.budget import Span
from vitrine.training.storage import RETRIES

NUMBER = "number"
"""The number that a trial keeps when it is tried again; Optuna's own counts the repetitions."""
BEGUN = "begun"
"""When it began: seconds since 1970."""
LASTED = "lasted"
"""How long it had trained after its last epoch: seconds."""
HEARD = "heard"
"""Optuna's number of a trial whose worker has begun: a repetition takes over what is written."""
NOTE = "note"
"""Why it did not come to its last epoch."""
UNCOUNTED = "uncounted"
"""The mark of a trial that was left to another worker, or interrupted by a person."""
ENDED: dict[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "fail",
}


def number(trial: FrozenTrial) -> int | None:
    """Return a trial's number; None where it has none, because nobody asked for it."""
    found: int | None = trial.user_attrs.get(NUMBER)
    return found


def counts(trial: FrozenTrial) -> bool:
    """Say whether a trial is, or will be, one of those that were asked for.

    One that lost its worker does not: it is there a second time, to be tried again.
    """
    if number(trial) is None or UNCOUNTED in trial.user_attrs:
        return False
    return trial.state != TrialState.FAIL or NOTE in trial.user_attrs or _given_up(trial)


def _given_up(trial: FrozenTrial) -> bool:
    return len(RetryHeartbeatStaleTrialCallback.retry_history(trial)) >= RETRIES


def note(trial: FrozenTrial) -> str:
    """Return why a trial did not come to its last epoch; empty if it did."""
    if trial.state == TrialState.FAIL and NOTE not in trial.user_attrs:
        return f"its worker was killed {RETRIES + 1} times; is there too little memory?"
    return str(trial.user_attrs.get(NOTE, ""))


def attempt(trial: FrozenTrial) -> Attempt:
    """Return a trial that has come to its end as it is reported."""
    return Attempt(
        number=trial.user_attrs[NUMBER],
        state=ENDED[trial.state],
        score=trial.value,
        values=trial.params,
        seconds=trial.user_attrs.get(LASTED, 0.0),
        note=note(trial),
    )


def is_heard_of(trial: FrozenTrial) -> bool:
    """Say whether the worker of a running trial has begun to train."""
    return bool(trial.user_attrs.get(HEARD) == trial.number)


def spans(trials: Iterable[FrozenTrial]) -> list[Span]:
    """Return when the trials were training; those that still do, until now."""
    now = time.time()
    begun = [(trial, trial.user_attrs[BEGUN]) for trial in trials if BEGUN in trial.user_attrs]
    return [(since, now if _trains(t) else since + t.user_attrs[LASTED]) for t, since in begun]


def _trains(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.RUNNING and is_heard_of(trial)
