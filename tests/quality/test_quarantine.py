import csv
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from vitrine.core.errors import DataError
from vitrine.core.manifest import Catalogue, ManifestWriter, Row, read_manifest
from vitrine.core.quarantine import Quarantined, read_quarantine
from vitrine.quality import quarantine
from vitrine.quality.quarantine import restore, set_aside

ROWS = [
    Row("images/a.jpg", "vintage", "home", "p1", "two\nlines", "train"),
    Row("images/b, ü.jpg", "unknown style", "home"),
    Row("images/c.jpg", title='a "quote"'),
    Row("images/d.jpg", "vintage"),
    Row("images/e.jpg"),
]
# The title of the first row has a line break.
FOUND = [
    ("unreadable", "error", 4, "images/b, ü.jpg", "the image is damaged"),
    ("unknown_style", "error", 4, "images/b, ü.jpg", "style 'x' is unknown"),
    ("unknown_style", "error", 6, "images/d.jpg", "style 'y' is unknown"),
    ("blurry", "warning", 5, "images/c.jpg", "the image is blurry"),
    ("orphan_files", "warning", "", "images/old.jpg", "no row names this file"),
    ("exact_duplicates", "tolerated", 7, "images/e.jpg", "the same bytes"),
]


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    made = Catalogue(tmp_path / "data")
    _write(made, ROWS)
    return made


@pytest.fixture
def findings(tmp_path: Path) -> Path:
    return _list(tmp_path / "findings.csv", FOUND)


def _write(catalogue: Catalogue, rows: Iterable[Row]) -> None:
    with ManifestWriter(catalogue.manifest_path) as writer:
        for row in rows:
            writer.write(row)


def _list(path: Path, found: Iterable[tuple[object, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["check", "severity", "line", "image", "reason"])
        writer.writerows(found)
    return path


def _rows(catalogue: Catalogue) -> list[Row]:
    return list(read_manifest(catalogue.manifest_path))


def _aside(catalogue: Catalogue) -> list[Quarantined]:
    return list(read_quarantine(catalogue.quarantine_path))


def test_the_rows_of_failed_errors_are_set_aside(catalogue: Catalogue, findings: Path) -> None:
    moved = set_aside(catalogue, findings)
    assert moved.images == {"images/b, ü.jpg": "unreadable", "images/d.jpg": "unknown_style"}
    assert (moved.manifest, moved.quarantine) == (3, 2)
    assert _rows(catalogue) == [ROWS[0], ROWS[2], ROWS[4]]
    assert _aside(catalogue) == [
        Quarantined(ROWS[1], "unreadable", "the image is damaged"),
        Quarantined(ROWS[3], "unknown_style", "style 'y' is unknown"),
    ]


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        (["blurry"], {"images/c.jpg": "blurry"}),
        (["unknown_style"], dict.fromkeys(["images/b, ü.jpg", "images/d.jpg"], "unknown_style")),
        (
            ["blurry", "exact_duplicates"],
            {"images/c.jpg": "blurry", "images/e.jpg": "exact_duplicates"},
        ),
    ],
)
def test_only_the_findings_of_chosen_checks_are_set_aside(
    catalogue: Catalogue, findings: Path, checks: list[str], expected: dict[str, str]
) -> None:
    assert set_aside(catalogue, findings, checks).images == expected
    assert [one.row.image for one in _aside(catalogue)] == list(expected)
    assert [row.image for row in _rows(catalogue)] == [
        row.image for row in ROWS if row.image not in expected
    ]


def test_a_check_that_found_nothing_is_refused(catalogue: Catalogue, findings: Path) -> None:
    with pytest.raises(DataError) as caught:
        set_aside(catalogue, findings, ["blurry", "blury"])
    assert str(caught.value) == (
        "the check 'blury' has found nothing; those that have: blurry, exact_duplicates, "
        "orphan_files, unknown_style, unreadable"
    )
    assert _rows(catalogue) == ROWS


def test_findings_that_are_no_rows_are_refused(catalogue: Catalogue, findings: Path) -> None:
    with pytest.raises(DataError, match="what orphan_files found are no rows of the manifest"):
        set_aside(catalogue, findings, ["orphan_files"])
    assert _rows(catalogue) == ROWS


def test_nothing_to_set_aside_changes_nothing(catalogue: Catalogue, tmp_path: Path) -> None:
    before = catalogue.manifest_path.stat()
    moved = set_aside(catalogue, _list(tmp_path / "none.csv", FOUND[3:]))
    assert (moved.images, moved.manifest, moved.quarantine) == ({}, 5, 0)
    assert catalogue.manifest_path.stat() == before
    assert not catalogue.quarantine_path.exists()


def test_what_is_set_aside_later_joins_what_is_there(catalogue: Catalogue, findings: Path) -> None:
    set_aside(catalogue, findings, ["unreadable"])
    later = _list(findings, [("blurry", "warning", 4, "images/c.jpg", "why")])
    moved = set_aside(catalogue, later, ["blurry"])
    assert (moved.manifest, moved.quarantine) == (3, 2)
    assert [one.row for one in _aside(catalogue)] == [ROWS[1], ROWS[2]]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ROWS[1:], "line 4 was images/b, ü.jpg, but is images/d.jpg"),
        ([ROWS[0], ROWS[2], ROWS[1], *ROWS[3:]], "line 4 was images/b, ü.jpg, but is images/c.jpg"),
        (ROWS[:3], "line 6 was images/d.jpg, but is nothing"),
        ([Row("images/a.jpg"), *ROWS[1:]], "line 4 was images/b, ü.jpg, but is images/c.jpg"),
    ],
)
def test_findings_of_another_manifest_are_refused(
    catalogue: Catalogue, findings: Path, rows: list[Row], words: str
) -> None:
    _write(catalogue, rows)
    with pytest.raises(DataError) as caught:
        set_aside(catalogue, findings)
    assert str(caught.value) == (
        f"{findings} is of another manifest: {words}; run `vitrine validate` first"
    )
    assert _rows(catalogue) == rows
    assert not catalogue.quarantine_path.exists()


def test_the_same_findings_are_refused_a_second_time(catalogue: Catalogue, findings: Path) -> None:
    set_aside(catalogue, findings)
    with pytest.raises(DataError, match="is of another manifest"):
        set_aside(catalogue, findings)
    assert len(_rows(catalogue)) + len(_aside(catalogue)) == 5


def test_a_corrected_row_is_set_aside_as_it_is_now(catalogue: Catalogue, findings: Path) -> None:
    corrected = Row("images/d.jpg", "modern", "home", title="new")
    _write(catalogue, [*ROWS[:3], corrected, ROWS[4]])
    set_aside(catalogue, findings, ["unknown_style"])
    assert _aside(catalogue)[1].row == corrected


def test_the_manifest_is_never_emptied(catalogue: Catalogue, tmp_path: Path) -> None:
    lines = (3, 4, 5, 6, 7)
    found = [("blurry", "error", n, row.image, "why") for n, row in zip(lines, ROWS, strict=True)]
    words = r"every row of .*manifest\.csv would go into quarantine: .* or choose checks with --ch"
    with pytest.raises(DataError, match=words):
        set_aside(catalogue, _list(tmp_path / "all.csv", found))
    assert _rows(catalogue) == ROWS
    assert not catalogue.quarantine_path.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is missing"),
        (b"line,image\n4,images/b.jpg\n", "is damaged"),
        (b"check,severity,line,image,reason\nblurry,error,four,images/b.jpg,why\n", "is damaged"),
        (b"check,severity,line,image,reason\nblurry,error,4,\xff,why\n", "is damaged"),
        (b"check,severity,line,image,reason\nblurry,error,4\n", "is damaged"),
        (b"", "is damaged"),
    ],
)
def test_findings_that_cannot_be_read_are_refused(
    catalogue: Catalogue, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "findings.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        set_aside(catalogue, path)
    assert str(caught.value) == f"{path} {words}: run `vitrine validate` first"
    assert _rows(catalogue) == ROWS


@pytest.mark.parametrize("back", [set_aside, restore])
def test_a_kill_between_the_two_writes_loses_no_row(
    catalogue: Catalogue,
    findings: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    back: object,
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "ManifestWriter", kill)
        with pytest.raises(Killed):
            set_aside(catalogue, findings)
    assert {row.image for row in _rows(catalogue)} == {row.image for row in ROWS}
    if back is set_aside:  # the same command again ends what was begun
        set_aside(catalogue, findings)
        assert _rows(catalogue) == [ROWS[0], ROWS[2], ROWS[4]]
        assert [one.row for one in _aside(catalogue)] == [ROWS[1], ROWS[3]]
    else:
        restore(catalogue)
        assert _rows(catalogue) == ROWS
        assert _aside(catalogue) == []


def test_a_kill_while_restoring_loses_no_row_and_doubles_none(
    catalogue: Catalogue, findings: Path, tmp_path: Path
) -> None:
    set_aside(catalogue, findings)
    kept = tmp_path / "kept.csv"
    shutil.copy(catalogue.quarantine_path, kept)
    restore(catalogue, ["images/d.jpg"])
    shutil.copy(kept, catalogue.quarantine_path)  # the second write did not happen
    moved = restore(catalogue, ["images/d.jpg"])
    assert [row.image for row in _rows(catalogue)].count("images/d.jpg") == 1
    assert [one.row for one in _aside(catalogue)] == [ROWS[1]]
    assert (moved.manifest, moved.quarantine) == (4, 1)


def test_rows_are_taken_back_at_the_end(catalogue: Catalogue, findings: Path) -> None:
    set_aside(catalogue, findings)
    moved = restore(catalogue)
    assert list(moved.images) == ["images/b, ü.jpg", "images/d.jpg"]
    assert (moved.manifest, moved.quarantine) == (5, 0)
    assert _rows(catalogue) == [ROWS[0], ROWS[2], ROWS[4], ROWS[1], ROWS[3]]
    assert not catalogue.quarantine_path.exists()


def test_one_row_is_taken_back_and_the_others_stay(catalogue: Catalogue, findings: Path) -> None:
    set_aside(catalogue, findings)
    moved = restore(catalogue, ["images/d.jpg"])
    assert (moved.manifest, moved.quarantine) == (4, 1)
    assert _rows(catalogue)[-1] == ROWS[3]
    assert [one.row for one in _aside(catalogue)] == [ROWS[1]]


def test_an_image_that_is_not_in_quarantine_cannot_be_taken_back(
    catalogue: Catalogue, findings: Path
) -> None:
    set_aside(catalogue, findings)
    with pytest.raises(DataError, match=r"quarantine\.csv has no image 'images/a\.jpg'; look it"):
        restore(catalogue, ["images/d.jpg", "images/a.jpg"])
    assert len(_rows(catalogue)) == 3
    assert len(_aside(catalogue)) == 2


def test_without_a_quarantine_nothing_is_taken_back(catalogue: Catalogue) -> None:
    before = catalogue.manifest_path.read_bytes()
    assert restore(catalogue).images == {}
    assert catalogue.manifest_path.read_bytes() == before


def test_images_are_never_touched(catalogue: Catalogue, findings: Path) -> None:
    for row in ROWS:
        (catalogue.root / row.image).parent.mkdir(exist_ok=True)
        (catalogue.root / row.image).write_bytes(row.image.encode())
    set_aside(catalogue, findings)
    restore(catalogue)
    assert {path.name: path.read_bytes() for path in (catalogue.root / "images").iterdir()} == {
        Path(row.image).name: row.image.encode() for row in ROWS
    }
