"""The drawing of a training's course."""

import re
from pathlib import Path

import pytest

from vitrine.retraining.curve import curve

HEADER = "epoch,val_style_macro_f1,val_category_macro_f1\n"


def drawn(folder: Path, text: str) -> str:
    path = folder / "history.csv"
    path.write_text(text, encoding="utf-8")
    return curve(path)


def test_both_heads_are_drawn_by_epoch(tmp_path: Path) -> None:
    text = drawn(tmp_path, f"{HEADER}1,0.25,0.125\n2,0.5,0.75\n")
    assert "```mermaid\n" in text
    assert 'x-axis "epoch" [1, 2]' in text
    assert "line [0.2500, 0.5000]\n    line [0.1250, 0.7500]\n" in text
    assert text.startswith("Style blue, category orange.")


def test_a_head_that_is_not_trained_is_left_out(tmp_path: Path) -> None:
    text = drawn(tmp_path, "epoch,val_category_macro_f1\n1,0.25\n2,0.5\n")
    assert text.count("line [") == 1
    assert text.startswith("Category orange.")


def test_many_epochs_are_thinned_to_the_first_and_the_last(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n / 1000},0\n" for n in range(1, 501))
    text = drawn(tmp_path, HEADER + rows)
    assert 'x-axis "epoch" 1 --> 500' in text
    (style, _) = re.findall(r"line \[(.*)\]", text)
    points = style.split(", ")
    assert len(points) == 60
    assert (points[0], points[-1]) == ("0.0010", "0.5000")


@pytest.mark.parametrize(
    "text",
    ["", HEADER, f"{HEADER}1,0.5,0.5\n", f"{HEADER}1,0,0\n2,nan,0\n", f"{HEADER}1,0,0\n2\n", "a,b\n1,2\n"],
)  # fmt: skip
def test_nothing_is_drawn_of_what_cannot_be(tmp_path: Path, text: str) -> None:
    assert drawn(tmp_path, text) == ""


def test_nothing_is_drawn_without_a_history(tmp_path: Path) -> None:
    assert curve(tmp_path / "none.csv") == ""
