"""The record of what went into service: one MLflow run a decision, in an experiment of its own.

A record is written by one request, so it is there as a whole or not at all.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Literal

from vitrine.tracking.store import client, experiment_id, speaking

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

EXPERIMENT = "vitrine-releases"
PREFIX = "release."
PAGE = 1000
LONGEST = 4000
"""Characters of one value; MLflow takes 8,000 at most."""

Outcome = Literal["accepted", "refused", "fell back"]
Kind = Literal["promotion", "rollback"]


@dataclass(frozen=True, slots=True)
class Release:
    """What was decided about a version that someone had made the champion.

    Args:
        model: The registered model.
        version: Which version.
        outcome: `accepted` into service; `refused` by gate, lineage or digests; `fell back` when
            the service did not come up with it.
        replaced: The version in service before; empty for none.
        kind: `promotion`, or `rollback` to a version that was in service before.
        by: Who promoted it, as far as MLflow knows.
        why: The reason that was given, or why it was refused; may be empty.
        promotion: The id of the `vitrine promote` that is answered; empty for the MLflow UI.
        at: When it was decided: UTC, ISO 8601.
        bento: The tag of the Bento; empty when none was built.
        bundle_digest: Of the version's bundle.
        data_digest: Of the data that it was trained on.
        git_commit: Of the code that trained it.
        metrics: The figures of its run on the test split, by name.
    """

    model: str
    version: str
    outcome: Outcome
    replaced: str
    kind: Kind
    by: str
    why: str
    promotion: str
    at: str
    bento: str
    bundle_digest: str
    data_digest: str
    git_commit: str
    metrics: Mapping[str, float] = field(default_factory=dict)


@speaking()
def record_release(release: Release) -> None:
    """Add a record. Raises `TrackingError`."""
    store = client()
    place = experiment_id(store, EXPERIMENT)
    texts = {key: value for key, value in asdict(release).items() if key != "metrics"}
    texts["metrics"] = json.dumps(dict(release.metrics))
    tags = {f"{PREFIX}{key}": value[:LONGEST] for key, value in texts.items()}
    tags["mlflow.user"] = release.by
    tags["mlflow.note.content"] = release.why[:LONGEST]
    title = f"version {release.version} {release.outcome}"
    # MLflow takes the clock of whoever writes; one that is behind must not put this record earlier.
    newest = store.search_runs([place], max_results=1, order_by=["attributes.start_time DESC"])
    after = [run.info.start_time + 1 for run in newest]
    start = max([int(time.time() * 1000), *after])
    store.create_run(place, start_time=start, tags=tags, run_name=title)
    # A run begins as running: these, and what a killed process has left, are over.
    for run in store.search_runs([place], "attributes.status = 'RUNNING'"):
        store.set_terminated(run.info.run_id)


@speaking()
def releases(model: str) -> list[Release]:
    """Return all records of a registered model, the oldest first. Raises `TrackingError`."""
    store = client()
    place = store.get_experiment_by_name(EXPERIMENT)
    if place is None:
        return []
    wanted = f"tags.`{PREFIX}model` = '{model}'"
    return [_read(run) for run in _all(store, place.experiment_id, wanted)]


def _all(store: "MlflowClient", place: str, wanted: str) -> "list[MlflowRun]":
    found: list[MlflowRun] = []
    token = None
    while True:
        page = store.search_runs(
            [place],
            wanted,
            max_results=PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        found += page
        token = page.token
        if not token:
            return found


def _read(run: "MlflowRun") -> Release:
    texts = {part.name: run.data.tags.get(f"{PREFIX}{part.name}", "") for part in fields(Release)}
    metrics = json.loads(texts.pop("metrics") or "{}")
    return Release(**texts, metrics=metrics)
