"""The stage tune: searches better values for keys of train."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import yaml

from vitrine.core.files import write_json, write_text
from vitrine.core.layout import artifacts, reports, scratch
from vitrine.core.params import TrainParams, TuneParams
from vitrine.training.space import check_space

if TYPE_CHECKING:
    from vitrine.training.search import Search


@dataclass(frozen=True, slots=True)
class Tuned:
    """What the search found.

    Args:
        trials: How many trials there were.
        values: Those that train takes over; none when its own are best.
        default: The score of train's own values; None without a search.
        best: The best score.
    """

    trials: int
    values: dict[str, Any]
    default: float | None = None
    best: float | None = None

    def describe(self) -> str:
        """Return the line that a person sees."""
        if self.default is None or self.best is None:
            return "No search: train runs the values of params.yaml."
        scores = f"val macro F1 {self.best:.3f}, and {self.default:.3f} with the values of train"
        if not self.values:
            return f"{self.trials} trials: none is better than the values of train ({scores})."
        found = ", ".join(f"{key} {_short(value)}" for key, value in self.values.items())
        return f"{self.trials} trials; best: {found} ({scores})."


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def run(tune: TuneParams, train: TrainParams, registered: str) -> Tuned:
    """Search, and write artifacts/tune/ and reports/tune/. Without a search it loads nothing heavy.

    Nothing is searched where there are no trials, or where the champion's training goes on.

    Args:
        tune: The settings of the search.
        train: The values that are searched around.
        registered: The name of the registered model, whose champion `train.weights` may name.

    Raises:
        ParamsError: A range is not allowed.
        TrackingError: MLflow cannot be used.
        PreparedDataError: The shards are missing.
        ModelError: The training with train's own values fails.
    """
    check_space(tune, train)
    if not tune.trials or train.continues:
        return _write(tune, Tuned(0, {}), None, [])
    from vitrine.training.trials import Trials

    folder = scratch("tune")
    search = Trials(tune, train, artifacts("prepare"), registered).search(folder)
    default, best = search.scores()
    tuned = Tuned(len(search.trials), search.best(), default, best)
    _write(tune, tuned, search.run_id, _rows(search, tune.search))
    search.forget()
    return tuned


def _rows(search: "Search", keys: Iterable[str]) -> list[list[Any]]:
    return [
        [trial.number, trial.state.name.lower(), trial.value, *(trial.params.get(k) for k in keys)]
        for trial in search.trials
    ]


def _write(
    tune: TuneParams, tuned: Tuned, run_id: str | None, rows: Sequence[Sequence[Any]]
) -> Tuned:
    table = StringIO()
    csv.writer(table, lineterminator="\n").writerows(
        [["number", "state", "value", *tune.search], *rows]
    )
    write_text(reports("tune") / "trials.csv", table.getvalue())
    scores = {"default_score": tuned.default, "best_score": tuned.best}
    known = {name: score for name, score in scores.items() if score is not None}
    write_json(reports("tune") / "metrics.json", {"trials": tuned.trials, **known})
    write_json(artifacts("tune") / "run.json", {"run_id": run_id})
    write_text(artifacts("tune") / "best.yaml", yaml.safe_dump(tuned.values, sort_keys=False))
    return tuned
