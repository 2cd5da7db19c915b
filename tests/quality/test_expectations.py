import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from vitrine.quality.checks import Check, Rule
from vitrine.quality.expectations import Outcome, run_checks

ODD = [
    "it's",
    'a "b"',
    "50 % off",
    "a:b :c",
    "semi;",
    "back\\slash",
    "鞋 é",
    "{x}",
    "$5",
    "-- no",
    "what?",
    "\u3000 wide",
    "a\nb",
    "Men's 12\" \\",
    "'",
    '"',
]
"""Labels that SQL, templates or HTML could take for something else."""


def _database(folder: Path, table: str = "images", **columns: Sequence[Any]) -> Path:
    path = folder / "catalogue.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f"CREATE TABLE {table} (place INTEGER PRIMARY KEY, {', '.join(columns)})"
        )
        rows = zip(*columns.values(), strict=True)
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {table} VALUES (NULL, {marks})", rows)
    return path


def _check(name: str, column: str = "width", rule: Rule = "between", /, **changes: Any) -> Check:
    values = {"suite": "quality", "severity": "warning", "title": "it is wide", "table": "images"}
    return Check(name, column=column, rule=rule, reason="no", **{**values, **changes})


def _places(outcome: Outcome, path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        query = f"SELECT place FROM ({outcome.query}) ORDER BY place"
        return [place for (place,) in connection.execute(query)]


def test_outcomes_say_which_rows_break_each_check(tmp_path: Path) -> None:
    """The table's rows are counted from 1."""
    path = _database(
        tmp_path,
        width=[9, 4, None, 3, 7.5],
        label=["shoes", None, "bags", "home", "shoes"],
        fault=[None, "broken", None, None, None],
        found=[1, 1, 0, 1, 1],
    )
    between = {"min_value": 5}
    checks = [
        (_check("wide", limits=between), False, 4, [2, 4]),
        (_check("mostly", limits={**between, "mostly": 0.5}), True, 4, [2, 4]),
        (_check("too few", limits={**between, "mostly": 0.51}), False, 4, [2, 4]),
        (_check("upper", limits={"max_value": 7.5}), False, 4, [1]),
        (_check("in", "label", "in_set", limits={"value_set": ["shoes"]}), False, 4, [3, 4]),
        (_check("in none", "label", "in_set", limits={"value_set": []}), False, 4, [1, 3, 4, 5]),
        (_check("not in", "label", "not_in_set", limits={"value_set": ["home"]}), False, 4, [4]),
        (_check("not in none", "label", "not_in_set", limits={"value_set": []}), True, 4, []),
        (_check("null", "fault", "null"), False, 5, [2]),
        (_check("mostly null", "fault", "null", limits={"mostly": 0.8}), True, 5, [2]),
        (_check("not null", "label", "not_null"), False, 5, [2]),
        (_check("found", "found", "in_set", limits={"value_set": [1]}), False, 5, [3]),
    ]
    outcomes = run_checks([check for check, *_ in checks], path, tmp_path / "docs")
    found = [(o.check, o.passed, o.judged, _places(o, path)) for o in outcomes]
    assert found == checks
    assert [outcome.broken for outcome in outcomes] == [len(places) for *_, places in checks]
    assert (outcomes[0].weight, outcomes[0].found_in()) == ("warning", "2 of 4")
    assert outcomes[1].weight == "tolerated"


def test_all_of_many_rows_are_found(tmp_path: Path) -> None:
    path = _database(tmp_path, width=[1] * 3000 + [9] * 5)
    (outcome,) = run_checks([_check("wide", limits={"min_value": 5})], path, tmp_path / "docs")
    assert (outcome.found_in(), outcome.broken) == ("3,000 of 3,005", 3000)
    assert _places(outcome, path) == list(range(1, 3001))


def test_odd_labels_are_compared_as_they_are(tmp_path: Path) -> None:
    path = _database(tmp_path, label=ODD)
    checks = [
        _check("all", "label", "in_set", limits={"value_set": ODD}),
        *(_check(one, "label", "in_set", limits={"value_set": [one]}) for one in ODD),
        *(_check(f"{one}!", "label", "not_in_set", limits={"value_set": [one]}) for one in ODD),
    ]
    outcomes = run_checks(checks, path, tmp_path / "docs")
    everything = set(range(1, len(ODD) + 1))
    assert outcomes[0].passed
    for place, (inside, outside) in enumerate(
        zip(outcomes[1 : 1 + len(ODD)], outcomes[1 + len(ODD) :], strict=True), start=1
    ):
        assert set(_places(inside, path)) == everything - {place}
        assert _places(outside, path) == [place]


def test_checks_of_several_tables_and_suites_come_in_their_order(tmp_path: Path) -> None:
    path = _database(tmp_path, width=[1], label=["a"])
    _database(tmp_path, "classes", images=[2, 9])
    low = {"limits": {"min_value": 5}}
    checks = [
        _check("a", **low, severity="error"),
        _check("b", "images", **low, table="classes", suite="labels"),
        _check("c", "label", "not_null", suite="integrity"),
        _check("d", "images", **low, table="classes", suite="change", severity="error"),
        _check("e", **low),
    ]
    outcomes = run_checks(checks, path, tmp_path / "docs")
    assert [outcome.check for outcome in outcomes] == checks
    assert [outcome.broken for outcome in outcomes] == [1, 1, 0, 1, 1]
    assert [outcome.weight for outcome in outcomes] == [
        *("error", "warning", "tolerated", "error", "warning")
    ]


def test_an_empty_table_breaks_nothing(tmp_path: Path) -> None:
    path = _database(tmp_path, width=[], label=[])
    checks = [
        _check("wide", limits={"min_value": 5}),
        _check("null", "label", "null"),
        _check("mostly", "label", "not_null", limits={"mostly": 0.5}),
        _check("in", "label", "in_set", limits={"value_set": ["a"]}),
        _check("agree", "label", "agree", limits={"labels": ["width"]}),
    ]
    outcomes = run_checks(checks, path, tmp_path / "docs")
    assert [(o.passed, o.judged, o.broken) for o in outcomes] == [(True, 0, 0)] * len(checks)


def test_cells_that_are_all_empty_break_nothing(tmp_path: Path) -> None:
    path = _database(tmp_path, width=[None, None])
    (outcome,) = run_checks([_check("wide", limits={"min_value": 5})], path, tmp_path / "docs")
    assert (outcome.passed, outcome.judged, outcome.broken) == (True, 0, 0)


def test_the_docs_say_the_checks_in_our_words(tmp_path: Path) -> None:
    path = _database(tmp_path, width=[9, 4], label=["a", "a"])
    checks = [
        _check("wide", limits={"min_value": 5}, title="every image is wide enough"),
        _check("agree", "label", "agree", limits={"labels": ["width"]}, title="labels agree"),
    ]
    run_checks(checks, path, tmp_path / "docs")
    (page,) = (tmp_path / "docs" / "validations").rglob("*.html")
    text = page.read_text(encoding="utf-8")
    assert "every image is wide enough" in text
    assert "labels agree" in text
    assert {child.name for child in tmp_path.iterdir()} == {"docs", "catalogue.db"}


def test_docs_are_replaced_as_a_whole(tmp_path: Path) -> None:
    path = _database(tmp_path, width=[9])
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "old.html").touch()
    run_checks([_check("wide", limits={"min_value": 5})], path, tmp_path / "docs")
    assert (tmp_path / "docs" / "index.html").is_file()
    assert not (tmp_path / "docs" / "old.html").exists()


@pytest.mark.parametrize("rule", ["between", "agree"])
def test_a_check_that_cannot_be_run_is_a_bug_and_no_result(tmp_path: Path, rule: Rule) -> None:
    path = _database(tmp_path, width=[9])
    limits = {"between": {"min_value": 5}, "agree": {"labels": ["style"]}}[rule]
    column = {"between": "depth", "agree": "width"}[rule]
    with pytest.raises(RuntimeError, match=r"the check wide could not be run: .*(depth|style)"):
        run_checks([_check("wide", column, rule, limits=limits)], path, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()
