import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from vitrine.quality.checks import Check
from vitrine.quality.expectations import Outcome, run_checks

Row = tuple[str | int | None, str | None, str | None]


def _run(folder: Path, rows: Iterable[Row], mostly: float = 1) -> tuple[Outcome, list[int]]:
    """Expect rows of one product to have one style and one category; return who does not."""
    path = folder / "catalogue.db"
    with closing(sqlite3.connect(path)) as connection:
        with connection:
            connection.execute(
                "CREATE TABLE images (place INTEGER PRIMARY KEY, product, style, category)"
            )
            connection.executemany("INSERT INTO images VALUES (NULL, ?, ?, ?)", rows)
        check = Check(
            name="agree",
            suite="labels",
            severity="error",
            title="views of one product have one label",
            table="images",
            column="product",
            rule="agree",
            reason="no",
            limits={"labels": ["style", "category"], "mostly": mostly},
        )
        (outcome,) = run_checks([check], path, folder / "docs")
        query = f"SELECT place FROM ({outcome.query}) ORDER BY place"
        return outcome, [place - 1 for (place,) in connection.execute(query)]


def test_rows_of_a_torn_group_are_named_all_of_them(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("p1", "vintage", "home"),
        ("p2", "vintage", "home"),
        ("p1", "vintage", "shoes"),
        ("p2", "vintage", "home"),
        ("p3", "modern", "home"),
        ("p4", "modern", None),
        ("p5", "vintage", "home"),
        ("p5", "modern", "shoes"),
        ("p5", "modern", "shoes"),
    ]
    outcome, torn = _run(tmp_path, rows)
    assert torn == [0, 2, 6, 7, 8]
    assert (outcome.passed, outcome.broken, outcome.judged) == (False, 5, 9)


def test_rows_without_a_group_are_not_judged(tmp_path: Path) -> None:
    rows: list[Row] = [
        (None, "vintage", "home"),
        (None, "modern", "shoes"),
        ("p1", "vintage", "home"),
        ("p1", "vintage", "home"),
    ]
    outcome, torn = _run(tmp_path, rows)
    assert torn == []
    assert (outcome.passed, outcome.broken, outcome.judged) == (True, 0, 2)


def test_an_empty_label_agrees_with_every_other(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("p1", None, "home"),
        ("p1", "vintage", None),
        ("p1", "vintage", "home"),
        ("p2", None, None),
        ("p2", None, None),
        # Of a torn group, those who contradict nobody are not to be corrected.
        ("p3", None, "home"),
        ("p3", "vintage", None),
        ("p3", "modern", "home"),
        ("p3", None, None),
        # One label is torn, the other is not: whose label is torn is named.
        ("p4", "vintage", "home"),
        ("p4", None, "shoes"),
        ("p4", "vintage", None),
    ]
    outcome, torn = _run(tmp_path, rows)
    assert torn == [6, 7, 9, 10]
    assert outcome.judged == len(rows)


@pytest.mark.parametrize(("mostly", "passed"), [(0.5, True), (0.6, False)])
def test_a_share_of_rows_may_disagree(tmp_path: Path, mostly: float, passed: bool) -> None:
    rows: list[Row] = [
        ("p1", "vintage", "home"),
        ("p1", "modern", "home"),
        ("p2", "modern", "home"),
        ("p3", "modern", "home"),
        (None, "modern", "home"),
    ]
    outcome, torn = _run(tmp_path, rows, mostly)
    assert torn == [0, 1]
    assert (outcome.passed, outcome.broken, outcome.judged) == (passed, 2, 4)


def test_groups_and_labels_may_have_any_text(tmp_path: Path) -> None:
    odd = ["it's", 'a "b"', "50 % off", "a:b", "semi;", "鞋", "NULL", "--", "{x}"]
    rows: list[Row] = [(one, other, None) for one in odd for other in odd[:2]]
    rows += [(f"{one}!", one, one) for one in odd] * 2
    _, torn = _run(tmp_path, rows)
    assert torn == list(range(2 * len(odd)))


def test_a_group_is_compared_with_regard_to_case(tmp_path: Path) -> None:
    rows: list[Row] = [("p1", "vintage", "home"), ("P1", "modern", "home"), ("p1 ", "modern", None)]
    _, torn = _run(tmp_path, rows)
    assert torn == []


def test_a_group_may_be_a_number(tmp_path: Path) -> None:
    rows: list[Row] = [(0, "vintage", "home"), (0, "modern", "home"), (7, "modern", "home")]
    _, torn = _run(tmp_path, rows)
    assert torn == [0, 1]
