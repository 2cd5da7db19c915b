"""The trials of a search: short trainings, each a run of its own under the pipeline's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine import tracking
from vitrine.core.digests import json_digest
from vitrine.core.params import TrainParams, TuneParams, override
from vitrine.inputs.summary import Summary
from vitrine.training.fit import fit
from vitrine.training.history import Epoch, best
from vitrine.training.search import Search
from vitrine.training.start import start
from vitrine.training.trainer import Job


@dataclass(frozen=True, slots=True)
class Trials:
    """What every trial of a search has in common.

    Args:
        tune: The settings of the search.
        train: The values that are searched around.
        prepared: The folder of prepared shards.
        registered: The name of the registered model, whose champion `train.weights` may name.
    """

    tune: TuneParams
    train: TrainParams
    prepared: Path
    registered: str

    def search(self, folder: Path) -> Search:
        """Run the search, or what is left of it.

        Args:
            folder: Where its state is kept.

        Returns:
            The finished search, which knows its MLflow run.

        Raises:
            TrackingError: MLflow cannot be used.
            PreparedDataError: The shards are missing.
            ModelError: The training with train's own values fails.
        """
        tracking.check()
        search = Search(folder / f"{self._digest()[:16]}.db", self.tune, self.train)
        with tracking.pipeline_run(search.run_id) as run:
            search.run_id = run.id

            def measure(
                number: int, values: Mapping[str, Any], report: Callable[[int, float], None]
            ) -> float:
                with tracking.child_run(run, f"trial-{number}") as child:
                    child.log_params(values)
                    return self._measure(child, values, report)

            search.run(measure)
        return search

    def _measure(
        self, run: tracking.Run, values: Mapping[str, Any], report: Callable[[int, float], None]
    ) -> float:
        params = override(self.train, {**values, "epochs": self.tune.epochs, "min_steps": 0})

        def on_epoch(epoch: Epoch) -> None:
            run.log_metrics(epoch.metrics, epoch.number)
            report(epoch.number, epoch.score)

        job = Job(params, self.prepared, start(params, self.registered), self.tune.max_images)
        return best(fit(job, on_epoch).history).score

    def _digest(self) -> str:
        # How many trials there are may grow without making the earlier ones useless.
        return json_digest(
            {
                "tune": self.tune.model_dump(mode="json", exclude={"trials"}),
                "train": self.train.model_dump(mode="json"),
                "prepared": Summary.load(self.prepared).digest,
            }
        )
