"""The data diff as a part of a comment."""

from pathlib import Path

import pytest

from vitrine.retraining.data_report import DataReport

TEXT = """\
# Data

**The data changed: 300 added.**

- Compared A with B.

## Added: 300

![Pictures: added, 24 of 300](added.jpg)

<details><summary>Images</summary>

| image | more |
| --- | --- |
"""
ROWS = "".join(f"| images/{n:03}.jpg | !\\[a\\](b.jpg) |\n" for n in range(300))


def report(folder: Path, text: str = f"{TEXT}{ROWS}\n</details>\n") -> DataReport | None:
    path = folder / "diff.md"
    path.write_text(text, encoding="utf-8")
    return DataReport.read(path)


def test_the_verdict_is_apart_and_pictures_are_named(tmp_path: Path) -> None:
    found = report(tmp_path)
    assert found is not None
    assert found.verdict == "The data changed: 300 added."
    assert found.body.startswith("- Compared A with B.\n\n#### Added: 300\n\n(Pictures: added, 24")
    assert "24 of 300: `added.jpg` in the artifact)" in found.body
    assert "![" not in found.body
    assert "images/299.jpg" in found.body
    assert found.cut(100_000) == found.body


@pytest.mark.parametrize("room", [400, 1000, 5000])
def test_it_is_cut_between_lines_and_what_is_open_is_closed(tmp_path: Path, room: int) -> None:
    found = report(tmp_path)
    assert found is not None
    text = found.cut(room)
    assert len(text) <= room
    assert text.count("<details>") == text.count("</details>")
    assert text.endswith("diff.md")
    rows = [line for line in text.splitlines() if line.startswith("| images")]
    assert rows == ROWS.splitlines()[: len(rows)]


@pytest.mark.parametrize("text", ["", "# Data\n", "no report\n\n**x**\n", "# Data\n\nno verdict\n"])
def test_another_file_is_none(tmp_path: Path, text: str) -> None:
    assert report(tmp_path, text) is None
    assert DataReport.read(tmp_path / "none.md") is None
