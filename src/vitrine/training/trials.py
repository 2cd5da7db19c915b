"""The trials of a search: short trainings, each a run of its own under the pipeline's."""

from collections.abc import Mapping
from contextlib import nullcontext, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from typing import Any

from vitrine import tracking
from vitrine.core.params import override
from vitrine.training.attempt import Attempt
from vitrine.training.errand import Errand
from vitrine.training.fit import fit
from vitrine.training.history import Epoch, best
from vitrine.training.lines import say
from vitrine.training.search import Search
from vitrine.training.shared_study import Measure, Report
from vitrine.training.start import start
from vitrine.training.trainer import Job


@dataclass(frozen=True, slots=True)
class Trials:
    """What a worker does for a search.

    Args:
        errand: What every worker is told.
        run: The MLflow run that the trials are children of.
        alone: Whether a person sees each trial's epochs; of several workers they would mix.
    """

    errand: Errand
    run: tracking.Run
    alone: bool

    def work(self, search: Search) -> None:
        """Do what is left of a search and its confirmation, a line a trial.

        Raises:
            TrackingError: MLflow cannot be used.
            StudyError: The study cannot be read or written.
            PreparedDataError: The shards are missing.
            ModelError: The training with train's own values fails.
        """
        tune, train = self.errand.tune, self.errand.train

        def ended(attempt: Attempt) -> None:
            say(f"trial {attempt.number} of {tune.trials}: {attempt.describe()}{_so_far(search)}")

        def confirmed(attempt: Attempt) -> None:
            whose = "train's own values" if attempt.number == 1 else "the best values"
            say(f"once more with another seed, {whose}: {attempt.describe()}")

        search.run(self._measure("trial", train.seed), ended)
        search.confirm(self._measure("confirmation", train.seed + 1), confirmed)

    def _measure(self, name: str, seed: int) -> Measure:
        def measure(number: int, values: Mapping[str, Any], report: Report) -> float:
            quiet = nullcontext() if self.alone else redirect_stderr(StringIO())
            seeded = {**values, "seed": seed}
            with tracking.child_run(self.run, f"{name}-{number}") as child, quiet:
                child.log_params(seeded)
                return self._fit(child, seeded, report)

        return measure

    def _fit(self, run: tracking.Run, values: Mapping[str, Any], report: Report) -> float:
        tune, errand = self.errand.tune, self.errand
        params = override(errand.train, {**values, "epochs": tune.epochs, "min_steps": 0})

        def on_epoch(epoch: Epoch) -> None:
            run.log_metrics(epoch.metrics, epoch.number)
            report(epoch.number, epoch.score)

        first = start(params, errand.registered)
        return best(
            fit(Job(params, errand.prepared, first, tune.max_images), on_epoch).history
        ).score


def _so_far(search: Search) -> str:
    scores = [a.score for a in search.attempts if a.state == "complete" and a.score is not None]
    line = f"; best so far {max(scores):.3f}" if scores else ""
    left = search.seconds_left()
    return line if left is None else f"{line}; {left / 60:.1f} min left"
