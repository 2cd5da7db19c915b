"""The search for better values of train's keys, with Optuna."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from vitrine.core.errors import ModelError
from vitrine.core.params import Range, TrainParams, TuneParams
from vitrine.training.space import defaults, whole

DEFAULT = "default"
"""The mark of the trial that runs the values of train itself."""
RUN = "run_id"
"""Where a study keeps which MLflow run it belongs to."""

Measure = Callable[[int, Mapping[str, Any], Callable[[int, float], None]], float]
"""Takes a trial's number, its values, and whom to tell the score after an epoch, which may end
the trial; returns the score."""


class Search:
    """A search that goes on after a kill: what was tried is on disk.

    Args:
        path: The SQLite file; made if it is not there.
        tune: The settings of the search.
        train: The values that are searched around, and tried first.
    """

    def __init__(self, path: Path, tune: TuneParams, train: TrainParams) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._tune = tune
        self._default = defaults(tune, train)
        self._study = optuna.create_study(
            storage=f"sqlite:///{path}",
            study_name="tune",
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(),
        )
        for trial in self._study.get_trials(states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL)
        # The same seed again would make a resumed search draw the same values again.
        seed = tune.seed + len(self._study.trials)
        self._study.sampler = optuna.samplers.TPESampler(seed=seed)

    @property
    def run_id(self) -> str | None:
        """The MLflow run of the search, once it has one."""
        run_id: str | None = self._study.user_attrs.get(RUN)
        return run_id

    @run_id.setter
    def run_id(self, run_id: str) -> None:
        self._study.set_user_attr(RUN, run_id)

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials so far, the interrupted ones too, in the order of their numbers."""
        trials: list[FrozenTrial] = self._study.get_trials()
        return trials

    @property
    def finished(self) -> int:
        """How many trials have come to an end by themselves."""
        return sum(trial.state.is_finished() and not _interrupted(trial) for trial in self.trials)

    def run(self, measure: Measure) -> None:
        """Try values until there are as many trials as asked for, those of train first.

        A trial whose training fails counts as failed, and the search goes on without it.

        Args:
            measure: Trains with some values.

        Raises:
            ModelError: The training with train's own values fails.
        """
        while self.finished < self._tune.trials:
            if self._measured_default() is None:
                self._study.enqueue_trial(self._default, user_attrs={DEFAULT: True})
            self._try(self._study.ask(), measure)

    def _try(self, trial: Trial, measure: Measure) -> None:
        values = {key: _suggest(trial, key, r) for key, r in self._tune.search.items()}

        def report(epoch: int, score: float) -> None:
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            score = measure(trial.number, values, report)
        except optuna.TrialPruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        except ModelError as error:
            trial.set_user_attr("error", str(error))
            self._study.tell(trial, state=TrialState.FAIL)
            if DEFAULT in trial.user_attrs:
                raise
        else:
            self._study.tell(trial, score)

    def _measured_default(self) -> float | None:
        done = (trial for trial in self.trials if DEFAULT in trial.user_attrs)
        return next((trial.value for trial in done if trial.value is not None), None)

    def scores(self) -> tuple[float, float]:
        """Return the score of train's own values, and the best score."""
        default = self._measured_default()
        assert default is not None  # noqa: S101 - `run` raises otherwise
        return default, self._study.best_value

    def best(self) -> dict[str, Any]:
        """Return the values of the best trial where they differ from train's; maybe none."""
        default, best = self.scores()
        if best <= default:
            return {}
        values = self._study.best_params
        return {key: value for key, value in values.items() if value != self._default[key]}

    def forget(self) -> None:
        """Delete what is on disk: the search is over, and the next one begins anew."""
        self._path.unlink()


def _interrupted(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.FAIL and "error" not in trial.user_attrs


def _suggest(trial: Trial, key: str, values: Range) -> Any:
    if values.choices is not None:
        return trial.suggest_categorical(key, values.choices)
    if whole(key):
        return trial.suggest_int(key, values.low, values.high, log=values.log)
    return trial.suggest_float(key, values.low, values.high, log=values.log)
