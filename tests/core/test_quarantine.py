from pathlib import Path

import pytest

from vitrine.core.errors import DataError
from vitrine.core.manifest import Row
from vitrine.core.quarantine import (
    QUARANTINE_COLUMNS,
    Quarantined,
    read_quarantine,
    write_quarantine,
)

HEADER = ",".join(QUARANTINE_COLUMNS)


def test_what_is_set_aside_comes_back(tmp_path: Path) -> None:
    rows = [
        Quarantined(
            Row("images/ü 1.jpg", "vintage", "home", "p1", 'two\nlines, "quoted"', "val"),
            "unreadable",
            "the image is damaged; replace it",
        ),
        Quarantined(Row("images/b.jpg"), "", ""),
    ]
    path = tmp_path / "deep" / "quarantine.csv"
    write_quarantine(path, iter(rows))
    assert list(read_quarantine(path)) == rows
    assert path.read_text(encoding="utf-8").startswith(
        "image,style,category,product,title,split,check,reason\n"
    )


def test_no_file_means_that_nothing_is_aside(tmp_path: Path) -> None:
    assert list(read_quarantine(tmp_path / "quarantine.csv")) == []


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("image,style,category,product,title,split\n", 1),
        (f"{HEADER}\nimages/a.jpg,,,,,,blurry\n", 2),
        (f"{HEADER}\nimages/a.jpg,,,,,,blurry,why\n{HEADER}\n", 3),
        (f"{HEADER}\n\n", 2),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: str, line: int) -> None:
    path = tmp_path / "quarantine.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(read_quarantine(path))
    assert str(caught.value) == (
        f"{path} line {line} is not what `vitrine quarantine` writes ({HEADER}); bring the file "
        "back from git or DVC"
    )


@pytest.mark.parametrize("content", [b"\xff\xfe", f'{HEADER}\n"no end'.encode()])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "quarantine.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"quarantine\.csv is not valid UTF-8 CSV \(.+\); correct"):
        list(read_quarantine(path))


def test_a_writing_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.csv"
    old = [Quarantined(Row("images/a.jpg"), "blurry", "why")]
    write_quarantine(path, old)
    with pytest.raises(AttributeError):
        write_quarantine(path, [old[0], None])  # type: ignore[list-item]
    assert list(read_quarantine(path)) == old
    assert list(tmp_path.iterdir()) == [path]
