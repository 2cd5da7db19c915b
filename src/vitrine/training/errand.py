"""What every worker of a search is told. Loads nothing heavy: a process is started with it."""

from dataclasses import dataclass
from pathlib import Path

from vitrine.core.digests import file_digest, json_digest
from vitrine.core.params import TrainParams, TuneParams, override
from vitrine.inputs.summary import Summary
from vitrine.training.space import starts
from vitrine.training.start import start

UNRELATED = {"trials", "minutes", "storage"}
"""Keys of tune that may change without making the earlier trials useless."""


@dataclass(frozen=True, slots=True)
class Errand:
    """A search, as a worker needs to know it.

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

    def digest(self) -> str:
        """Return what tells a search from one of other data, settings or first weights.

        Returns:
            16 characters.

        Raises:
            PreparedDataError: The shards are missing.
            ModelError: What a training shall begin with is missing.
            TrackingError: A trial may begin with the champion, and the registry does not answer.
        """
        firsts = [
            start(override(self.train, {"weights": weights}), self.registered)
            for weights in starts(self.tune, self.train)
        ]
        return json_digest(
            {
                "tune": self.tune.model_dump(mode="json", exclude=UNRELATED),
                "train": self.train.model_dump(mode="json"),
                "prepared": Summary.load(self.prepared).digest,
                "starts": [file_digest(first) if first else None for first in firsts],
            }
        )[:16]
