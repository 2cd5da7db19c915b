"""What was in service when."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from vitrine import tracking
from vitrine.release.history import history, in_service
from vitrine.tracking import Release

ONE = Release(
    model="vitrine",
    version="1",
    outcome="accepted",
    replaced="",
    kind="promotion",
    by="ada",
    why="the first",
    promotion="promotion 1",
    at="2026-11-25T10:00:00+00:00",
    bento="vitrine-api:v1-aaaaaaaa-bbbbbbbb",
    bundle_digest="a" * 64,
    data_digest="0123456789.dir",
    git_commit="c" * 40,
    metrics={"style_macro_f1": 0.75, "category_macro_f1": 0.5},
)


def made(*steps: str) -> list[Release]:
    """Releases from short words: `1` accepted, `2!` refused, `<1` rolled back to."""
    return [
        replace(
            ONE,
            version=step.strip("<!"),
            outcome="refused" if step.endswith("!") else "accepted",
            kind="rollback" if step.startswith("<") else "promotion",
        )
        for step in steps
    ]


@pytest.mark.parametrize(
    ("steps", "stack"),
    [
        ((), []),
        (("1",), ["1"]),
        (("1", "2!", "3"), ["1", "3"]),
        (("1", "2", "3", "<2"), ["1", "2"]),
        (("1", "2", "3", "<2", "<1"), ["1"]),
        (("1", "2", "<1", "2"), ["1", "2"]),
        (("1", "2", "1", "<2"), ["1", "2"]),
        (("1", "<9"), ["1", "9"]),
    ],
)
def test_a_rollback_takes_back_what_came_after(steps: tuple[str, ...], stack: list[str]) -> None:
    assert [release.version for release in in_service(made(*steps))] == stack


def test_records_come_back_as_they_were_written(store: Path) -> None:
    long = replace(ONE, version="2", outcome="refused", why="x" * 9000, metrics={})
    other = replace(ONE, model="another")
    for release in (ONE, long, other):
        tracking.record_release(release)
    first, second = tracking.releases("vitrine")
    assert first == ONE
    assert second == replace(long, why="x" * 4000)
    runs = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    (experiment,) = runs.search_experiments(filter_string="name = 'vitrine-releases'")
    found = runs.search_runs([experiment.experiment_id])
    assert {run.info.status for run in found} == {"FINISHED"}
    assert "version 2 refused" in {run.info.run_name for run in found}


def test_a_clock_that_is_behind_does_not_change_the_order(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    for number, clock in enumerate((now + 600, now, now)):
        monkeypatch.setattr(time, "time", lambda clock=clock: clock)
        tracking.record_release(replace(ONE, version=str(number)))
    assert [release.version for release in tracking.releases("vitrine")] == ["0", "1", "2"]


def test_the_table_has_the_newest_first(store: Path) -> None:
    tracking.record_release(ONE)
    later = {"version": "2", "replaced": "1", "at": "2026-11-26T08:30:00+00:00", "by": "grace"}
    tracking.record_release(replace(ONE, **later, kind="rollback", why="too slow", metrics={}))
    head, first, second, _, last = history("vitrine").describe().splitlines()
    assert head.split("  ")[0] == "when (UTC)"
    assert [cell.strip() for cell in first.split("  ") if cell] == [
        "2026-11-26 08:30:00", "2", "rolled back", "1", "grace", "01234567", "cccccccc", "too slow"
    ]  # fmt: skip
    assert [cell.strip() for cell in second.split("  ") if cell][-3:] == [
        "0.750",
        "0.500",
        "the first",
    ]
    assert last == "In service: version 2"
    document = json.loads(json.dumps(history("vitrine").document()))
    assert document["in_service"] == "2"
    assert document["releases"][0]["metrics"]["style_macro_f1"] == 0.75


def test_nothing_was_in_service_yet(store: Path) -> None:
    said = history("vitrine").describe()
    assert said.startswith("no version of vitrine was in service yet: promote one in the MLflow UI")
