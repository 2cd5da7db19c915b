"""The part of a prediction log that is looked at: the newest answers of one model."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from vitrine.core.errors import DataError
from vitrine.core.progress import track
from vitrine.core.taxonomy import HEADS
from vitrine.monitoring.sample import Answer, Observation, Sample, gather

ReadLog = Callable[[], Iterable[Mapping[str, Any]]]
"""Reads the log from its start, as a stream."""
Measure = Callable[[bytes], Mapping[str, float | None]]
"""Returns more facts of an encoded image."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers to look at.

    Args:
        model: A version, or the start of a bundle digest; empty = the model that answered last.
        since: Seconds since 1970 in UTC: nothing older.
        last: At most so many, the newest ones.
    """

    model: str
    since: float
    last: int


@dataclass(frozen=True, slots=True)
class Window:
    """What was found.

    Args:
        version: Of the registered model; the one that answered last where several have the bundle.
        bundle_digest: What answered.
        first: When the oldest answer was given, seconds since 1970 in UTC.
        last: When the newest was.
        sample: The answers.
        others: By version, how many answers of other bundles there were from first to last.
    """

    version: str
    bundle_digest: str
    first: float
    last: float
    sample: Sample
    others: dict[str, int]


def _vector(embedding: np.ndarray) -> np.ndarray:
    if not np.isfinite(embedding).all():
        raise ValueError("not every number is finite")
    return embedding


class _Entry(BaseModel):
    """What is read of a line of the log; see `vitrine.serving.prediction_log`."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False)

    time: float
    version: str
    bundle_digest: str
    style: Answer | None = None
    category: Answer | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    brightness: float | None = None
    embedding: Annotated[np.ndarray, AfterValidator(_vector)] | None = None
    image: Any = None


@dataclass(slots=True)
class _Model:
    """When the answers of one bundle were given.

    Attributes:
        versions: When each version that had it answered last.
        newest: A heap of times, the earliest in front.
    """

    versions: dict[str, float] = field(default_factory=dict)
    newest: list[float] = field(default_factory=list)

    @property
    def version(self) -> str:
        """The one that answered last."""
        return max(self.versions, key=self.versions.__getitem__)


def find_window(read: ReadLog, wanted: Wanted, measure: Measure) -> Window | None:
    """Find the answers that are wanted, and measure the images among them.

    The log is read twice, and only numbers are kept, so that memory does not grow with it.

    Args:
        read: Called twice.
        wanted: Which answers.
        measure: For the images that the log holds.

    Returns:
        The window; None where no answer is young enough.

    Raises:
        DataError: The log is damaged, or holds no such model, or several.
    """
    models = _models(_entries(track(read(), "Reading the log"), wanted.since), wanted.last)
    if not models:
        return None
    digest = _choose(models, wanted.model)
    chosen = models[digest]
    first, last = chosen.newest[0], max(chosen.newest)
    others: Counter[str] = Counter()

    def found() -> Iterator[tuple[float, Observation]]:
        for entry in _entries(track(read(), "Reading the window"), first):
            if entry.time > last:
                continue
            if entry.bundle_digest == digest:
                yield entry.time, _observe(entry, measure)
            else:
                others[entry.version] += 1

    # They may be more: several have the time of the first, or were written meanwhile.
    newest = heapq.nlargest(wanted.last, found(), key=itemgetter(0))
    in_order = sorted(newest, key=itemgetter(0))
    sample = gather(observation for _, observation in in_order)
    return Window(chosen.version, digest, first, last, sample, dict(others))


def _models(entries: Iterable[_Entry], last: int) -> dict[str, _Model]:
    """Return the models by bundle digest, each with the times of its newest answers."""
    models: dict[str, _Model] = {}
    for entry in entries:
        model = models.setdefault(entry.bundle_digest, _Model())
        seen = model.versions.get(entry.version, entry.time)
        model.versions[entry.version] = max(seen, entry.time)
        keep = heapq.heappush if len(model.newest) < last else heapq.heappushpop
        keep(model.newest, entry.time)
    return models


def _entries(lines: Iterable[Mapping[str, Any]], since: float) -> Iterator[_Entry]:
    for line in lines:
        try:
            entry = _Entry.model_validate(line)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise DataError(
                f"the entry {line.get('request_id')} of the prediction log is none of the "
                f"service's: {where}: {problem['msg']}; delete its line"
            ) from None
        if entry.time >= since:
            yield entry


def _choose(models: Mapping[str, _Model], wanted: str) -> str:
    if not wanted:
        return max(models, key=lambda digest: max(models[digest].newest))
    found = [digest for digest, model in models.items() if wanted in model.versions]
    found = found or [digest for digest in models if digest.startswith(wanted)]
    if len(found) != 1:
        known = ", ".join(f"{model.version} ({digest[:12]})" for digest, model in models.items())
        raise DataError(
            f"{len(found)} models of the log are {wanted!r}: name one of {known}, by its version "
            "or the start of its digest"
        )
    return found[0]


def _observe(entry: _Entry, measure: Measure) -> Observation:
    facts: dict[str, float | None] = {
        "bytes": entry.bytes,
        "width": entry.width,
        "height": entry.height,
        "brightness": entry.brightness,
    }
    if entry.image is not None:
        facts |= measure(entry.image)
    return Observation({head: getattr(entry, head) for head in HEADS}, facts, entry.embedding)
