"""The stage tune: searches better values for keys of train."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from vitrine.core.files import atomic_folder, write_json, write_text
from vitrine.core.layout import artifacts, reports, scratch
from vitrine.core.params import TrainParams, TuneParams
from vitrine.training.attempt import Attempt, best_so_far
from vitrine.training.errand import Errand
from vitrine.training.lines import named, say
from vitrine.training.space import check_space

if TYPE_CHECKING:
    from vitrine.training.search import Confirmation, Search

METHOD = "PED-ANOVA"


@dataclass(frozen=True, slots=True)
class Tuned:
    """What the search found.

    Args:
        attempts: Its trials.
        values: Those that train takes over; none when its own are best.
        default: The score of train's own values; None without a search.
        best: The best score.
        confirmation: Of the best values, with another seed; None where none was better.
        importance: The share of each key in what makes trials good.
    """

    attempts: Sequence[Attempt] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    default: float | None = None
    best: float | None = None
    confirmation: "Confirmation | None" = None
    importance: Mapping[str, float] = field(default_factory=dict)

    def describe(self) -> str:
        """Return the line that a person sees."""
        if self.default is None or self.best is None:
            return "No search: train runs the values of params.yaml."
        trials = f"{len(self.attempts)} trials"
        scores = f"val macro F1 {self.best:.3f}, and {self.default:.3f} with the values of train"
        if self.confirmation is None:
            return f"{trials}: none is better than the values of train ({scores})."
        better, own = (_score(a) for a in (self.confirmation.better, self.confirmation.own))
        scores += f"; with another seed {better} and {own}"
        if not self.values:
            return f"{trials}: the best was not better again, train keeps its values ({scores})."
        return f"{trials}; best: {named(self.values)} ({scores})."

    def metrics(self) -> dict[str, Any]:
        """Return the figures for reports/tune/metrics.json."""
        confirmation = self.confirmation
        known: dict[str, Any] = {"default_score": self.default, "best_score": self.best}
        if confirmation:
            known |= {
                "confirmed_default": confirmation.own.score,
                "confirmed_best": confirmation.better.score,
                "confirmed": confirmation.passed,
            }
        return {"trials": len(self.attempts)} | {
            name: value for name, value in known.items() if value is not None
        }


def _score(attempt: Attempt) -> str:
    return "none" if attempt.score is None else f"{attempt.score:.3f}"


def run(tune: TuneParams, train: TrainParams, registered: str, workers: int = 1) -> Tuned:
    """Search, and write artifacts/tune/ and reports/tune/. Without a search it loads nothing heavy.

    Nothing is searched where there are no trials, or where the champion's training goes on.

    Args:
        tune: The settings of the search.
        train: The values that are searched around.
        registered: The name of the registered model, whose champion `train.weights` may name.
        workers: How many processes of this machine train at the same time.

    Raises:
        ParamsError: A range or the storage is not allowed, or the trials would say nothing of
            train.
        TrackingError: MLflow cannot be used.
        StudyError: The study cannot be opened, read or written.
        PreparedDataError: The shards are missing.
        ModelError: What train.weights names is missing, or the training with train's own values
            fails.
    """
    check_space(tune, train)
    if not tune.trials or train.continues:
        tuned = Tuned()
        _write(tune, tuned, None)
        return tuned
    return _search(Errand(tune, train, artifacts("prepare"), registered), workers)


def _search(errand: Errand, workers: int) -> Tuned:
    name = errand.digest()
    from vitrine import tracking
    from vitrine.training.search import searching
    from vitrine.training.storage import locate
    from vitrine.training.trials import Trials
    from vitrine.training.workers import together

    place = locate(errand.tune.storage, scratch("tune"), name)
    tracking.check()
    with (
        searching(place, errand.tune, errand.train) as search,
        tracking.pipeline_run(search.run_id) as run,
    ):
        search.run_id = run.id
        if workers > 1:
            together(errand, place, run.id, workers, say)
        # What is left; after several workers that is nothing, unless they all died.
        Trials(errand, run, alone=workers == 1).work(search)
        tuned = _result(search)
        _write(errand.tune, tuned, run.id)
        run.log_folder(reports("tune"), "tune")
    place.delete()
    return tuned


def _result(search: "Search") -> Tuned:
    default, best = search.scores()
    return Tuned(
        attempts=search.attempts,
        values=search.best(),
        default=default,
        best=best,
        confirmation=search.confirmation(),
        importance=search.importance(),
    )


def _write(tune: TuneParams, tuned: Tuned, run_id: str | None) -> None:
    folder = reports("tune")
    header = ["part", "number", "state", "score", "seconds", "note", *tune.search]
    _table(folder / "trials.csv", header, _rows(tuned, tune.search))
    best = dict(best_so_far(tuned.attempts))
    scored = [a for a in tuned.attempts if a.number in best]
    _table(
        folder / "history.csv",
        ["trial", "score", "best"],
        [[a.number, a.score, best[a.number]] for a in scored],
    )
    shares = [[key, share, METHOD] for key, share in tuned.importance.items()]
    _table(folder / "importance.csv", ["key", "importance", "method"], shares)
    with atomic_folder(folder / "plots") as plots:
        if tuned.attempts:
            _draw(plots, tuned)
    write_json(folder / "metrics.json", tuned.metrics())
    write_json(artifacts("tune") / "run.json", {"run_id": run_id})
    values = yaml.safe_dump(dict(tuned.values), sort_keys=False)
    write_text(artifacts("tune") / "best.yaml", values)


def _rows(tuned: Tuned, keys: Iterable[str]) -> Iterable[list[Any]]:
    again = (tuned.confirmation.own, tuned.confirmation.better) if tuned.confirmation else ()
    for part, attempts in (("search", tuned.attempts), ("confirmation", again)):
        for a in attempts:
            values = [a.values.get(key) for key in keys]
            yield [part, a.number, a.state, a.score, round(a.seconds, 1), a.note, *values]


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    table = StringIO()
    csv.writer(table, lineterminator="\n").writerows([header, *rows])
    write_text(path, table.getvalue())


def _draw(folder: Path, tuned: Tuned) -> None:
    from vitrine.evaluation.figures import save
    from vitrine.training.search_charts import history_chart, importance_chart

    save(history_chart(tuned.attempts), folder / "history.png")
    if tuned.importance:
        save(importance_chart(tuned.importance), folder / "importance.png")
