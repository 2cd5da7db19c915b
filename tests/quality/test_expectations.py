from pathlib import Path

import pandas as pd
import pytest

from vitrine.quality.checks import Check
from vitrine.quality.expectations import run_checks
from vitrine.quality.tables import Table

TABLES = {
    "images": Table(
        pd.DataFrame(
            {
                "line": [2, 3, 4, 5],
                "image": ["a", "b", "c", "d"],
                "width": pd.array([9, 4, None, 3], dtype="Int32"),
            }
        ),
        ("line", "image"),
    )
}


def _check(column: str = "width", **limits: float) -> Check:
    return Check("wide", "quality", "warning", "it is wide", column, "between", "no", limits)


def test_an_outcome_says_which_rows_break_the_check(tmp_path: Path) -> None:
    (outcome,) = run_checks([_check(min_value=5)], TABLES, tmp_path / "docs")
    assert not outcome.passed
    assert outcome.broken == (1, 3)
    assert outcome.judged == 3  # an empty cell is not judged
    assert (outcome.weight, outcome.found_in()) == ("warning", "2 of 3")


def test_a_share_of_rows_may_be_tolerated(tmp_path: Path) -> None:
    (outcome,) = run_checks([_check(min_value=5, mostly=0.3)], TABLES, tmp_path / "docs")
    assert outcome.passed
    assert outcome.broken == (1, 3)
    assert outcome.weight == "tolerated"


def test_the_docs_say_the_check_in_our_words(tmp_path: Path) -> None:
    run_checks([_check(min_value=5)], TABLES, tmp_path / "docs")
    (page,) = (tmp_path / "docs" / "validations").rglob("*.html")
    assert "it is wide" in page.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["docs"]


def test_a_check_that_cannot_be_run_is_a_bug_and_no_result(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"the check wide could not be run: .*depth"):
        run_checks([_check("depth", min_value=5)], TABLES, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()
