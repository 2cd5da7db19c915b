"""Tables for a terminal."""

from vitrine.core.columns import aligned


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    rows = [("", "first", "n"), ("accuracy", "0.9", ""), ("f1", "", "12")]
    assert aligned(rows) == ["          first  n", "accuracy  0.9", "f1               12"]


def test_no_rows() -> None:
    assert aligned([]) == []
