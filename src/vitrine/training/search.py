"""The search for better values than train's, and the proof that they are."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning

from vitrine.core.digests import json_digest
from vitrine.core.params import TrainParams, TuneParams
from vitrine.training.attempt import Attempt
from vitrine.training.shared_study import Measure, Plan, SharedStudy
from vitrine.training.space import defaults
from vitrine.training.storage import Place, open_storage, speaking

RUN = "run_id"
"""Where a study keeps which MLflow run it belongs to."""
MEASURABLE = 4
"""How many finished trials the importance of a key is estimated from, at least."""

OnEnd = Callable[[Attempt], None]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Train's own values and the best ones, both trained anew with the same other seed.

    Args:
        own: The training with train's own values.
        better: The training with the best.
    """

    own: Attempt
    better: Attempt

    @property
    def passed(self) -> bool:
        """Whether the best values were better again."""
        own, better = self.own.score, self.better.score
        return own is not None and better is not None and better > own


@contextmanager
def searching(place: Place, tune: TuneParams, train: TrainParams) -> Iterator["Search"]:
    """Hold a search open; it goes on where it, or another worker, left off.

    Args:
        place: Where its study is.
        tune: The settings of the search.
        train: The values that are searched around, and tried first.

    Raises:
        StudyError: The study cannot be opened, read or written.
    """
    # Of failures the trial's own line tells, without Optuna's traceback.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with speaking(place), warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        storage = open_storage(place)
        try:
            yield Search(storage, place, tune, train)
        finally:
            storage.remove_session()
            storage.engine.dispose()


class Search:
    """A search and its confirmation: two studies in one database.

    Args:
        storage: The database.
        place: Where the search is in it.
        tune: The settings of the search.
        train: The values that are searched around, and tried first.
    """

    def __init__(
        self,
        storage: optuna.storages.RDBStorage,
        place: Place,
        tune: TuneParams,
        train: TrainParams,
    ) -> None:
        self._storage, self._place, self._tune = storage, place, tune
        self._default = defaults(tune, train)
        plan = Plan(
            first=[self._default],
            trials=tune.trials,
            ranges=tune.search,
            seed=tune.seed,
            seconds=60 * tune.minutes,
            prunes=True,
        )
        self._study = SharedStudy(storage, place.lock, place.name, plan)

    @property
    def run_id(self) -> str | None:
        """The MLflow run of the search, once it has one."""
        run_id: str | None = self._study.study.user_attrs.get(RUN)
        return run_id

    @run_id.setter
    def run_id(self, run_id: str) -> None:
        self._study.study.set_user_attr(RUN, run_id)

    @property
    def attempts(self) -> list[Attempt]:
        """The trials that have come to their end, by number."""
        return self._study.attempts

    def seconds_left(self) -> float | None:
        """Return how much of the time is left, at least 0; None without a limit."""
        return self._study.seconds_left()

    def run(self, measure: Measure, on_end: OnEnd) -> None:
        """Try values until all trials are done or the time is over, those of train first.

        Args:
            measure: Trains with some values.
            on_end: Told of each trial that this worker brought to its end.

        Raises:
            ModelError: The training with train's own values fails.
        """
        self._study.work(measure, on_end)

    def confirm(self, measure: Measure, on_end: OnEnd) -> None:
        """Train with train's own values and with the best; nothing if none is better.

        Args:
            measure: Trains with some values and another seed than in the search.
            on_end: Told of each training that this worker brought to its end.

        Raises:
            ModelError: The training with train's own values fails.
        """
        if better := self._better():
            self._confirming(better).work(measure, on_end)

    def scores(self) -> tuple[float, float]:
        """Return the score of train's own values, and the best score."""
        complete = self._complete()
        return complete[0][1], max(score for _, score in complete)

    def confirmation(self) -> Confirmation | None:
        """Return what the confirmation said; None where nothing was to be confirmed."""
        if not (better := self._better()):
            return None
        return Confirmation(*self._confirming(better).attempts)

    def best(self) -> dict[str, Any]:
        """Return the best values where they differ from train's; none if they are not confirmed."""
        confirmation = self.confirmation()
        if not (confirmation and confirmation.passed):
            return {}
        values = self._better()
        return {key: value for key, value in values.items() if value != self._default[key]}

    def importance(self) -> dict[str, float]:
        """Return the share of each key in what makes trials good, the largest first.

        PED-ANOVA (Watanabe, Bansal and Hutter: "PED-ANOVA: Efficiently Quantifying Hyperparameter
        Importance in Arbitrary Subspaces", IJCAI 2023). Nothing with a single key, fewer than four
        finished trials, or trials that are all as good.
        """
        if len(self._tune.search) < 2 or len(self._complete()) < MEASURABLE:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Target and region", UserWarning)
            try:
                study = self._study.study
                found = optuna.importance.get_param_importances(study, evaluator=evaluator)
            except UserWarning:
                return {}
        return {key: float(share) for key, share in found.items()}

    def _complete(self) -> list[tuple[Attempt, float]]:
        ended = ((attempt, attempt.score) for attempt in self.attempts)
        return [(a, score) for a, score in ended if a.state == "complete" and score is not None]

    def _better(self) -> Mapping[str, Any]:
        default, best = self.scores()
        if best <= default:
            return {}
        return next(attempt.values for attempt, score in self._complete() if score == best)

    def _confirming(self, better: Mapping[str, Any]) -> SharedStudy:
        # More trials may bring other values, which need a confirmation of their own.
        name = f"{self._place.name}-{json_digest(dict(better))[:16]}"
        plan = Plan(
            first=[self._default, better],
            trials=2,
            ranges=self._tune.search,
            seed=self._tune.seed,
            seconds=0,
            prunes=False,
        )
        return SharedStudy(self._storage, self._place.lock, name, plan)
