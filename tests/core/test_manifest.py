from pathlib import Path

import pytest

from vitrine.core.errors import DataError
from vitrine.core.manifest import COLUMNS, Catalogue, ManifestWriter, Row, read_manifest
from vitrine.core.taxonomy import Label, Taxonomy

TAXONOMY = Taxonomy(
    styles=(Label(name="vintage"), Label(name="modern")),
    categories=(Label(name="clothing"), Label(name="home")),
)
HEADER = ",".join(COLUMNS)


def _manifest(folder: Path, *lines: str) -> Path:
    path = folder / "manifest.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    rows = [
        Row("images/a.jpg", "vintage", "home", "p1", 'a "quoted", title', "train"),
        Row("images/ü.png", title="two\nlines"),
    ]
    path = tmp_path / "manifest.csv"
    with ManifestWriter(path) as writer:
        for row in rows:
            writer.write(row)
    assert list(read_manifest(path, TAXONOMY)) == rows
    assert writer.rows == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "images/a.jpg,vintage,clothes,,,",
            "category 'clothes' is not in taxonomy.yaml; add it there or correct the row",
        ),
        ("images/a.jpg,old,home,,,", "style 'old' is not in taxonomy.yaml"),
        (
            "images/a.jpg,vintage,home,,",
            "must have 6 values (image, style, category, product, title, split), but got 5",
        ),
        ("../a.jpg,vintage,home,,,", "image '../a.jpg' must be a path under data/"),
        ("/etc/a.jpg,vintage,home,,,", "image '/etc/a.jpg' must be a path under data/"),
        (",vintage,home,,,", "image '' must be a path under data/"),
        ("images\\a.jpg,,,,,", "must be a path under data/ with forward slashes"),
        ("images//a.jpg,,,,,", "image 'images//a.jpg' must be written 'images/a.jpg'"),
        ("./images/a.jpg,,,,,", "image './images/a.jpg' must be written 'images/a.jpg'"),
        ("images/./ok.jpg,,,,,", "image 'images/./ok.jpg' must be written 'images/ok.jpg'"),
        ("images/a.jpg/,,,,,", "image 'images/a.jpg/' must be written 'images/a.jpg'"),
        (
            "images/a.jpg,vintage,home,,,dev",
            "split must be train, val, test or empty, but got 'dev'",
        ),
        (
            "images/ok.jpg,,,,,",
            "image 'images/ok.jpg' is already on line 2; remove one of the two rows",
        ),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tmp_path: Path, line: str, words: str) -> None:
    path = _manifest(tmp_path, "images/ok.jpg,vintage,home,,,", line)
    with pytest.raises(DataError) as caught:
        list(read_manifest(path, TAXONOMY))
    assert str(caught.value).startswith("manifest.csv line 3: ")
    assert words in str(caught.value)


def test_rows_before_a_wrong_one_are_read_as_a_stream(tmp_path: Path) -> None:
    rows = read_manifest(_manifest(tmp_path, "images/ok.jpg,,,,,", "bad"), TAXONOMY)
    assert next(rows).image == "images/ok.jpg"
    with pytest.raises(DataError, match="line 3"):
        next(rows)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text("image,style,product,title,split\n", encoding="utf-8")
    with pytest.raises(
        DataError, match="line 1: has no column 'category'; the header must be image,"
    ):
        list(read_manifest(path))


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(f"{HEADER}\nimages/a.jpg,,,,café,\n".encode("latin-1"))
    with pytest.raises(DataError, match="is not UTF-8 text"):
        list(read_manifest(path))


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(f"{HEADER}\nimages/a.jpg,,,,,\n".encode("utf-8-sig"))
    assert [row.image for row in read_manifest(path)] == ["images/a.jpg"]


def test_a_catalogue_without_files_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="taxonomy.yaml is missing: fetch the data with `dvc pull data.dvc`"
    ):
        list(Catalogue(tmp_path).rows())
    TAXONOMY.save(tmp_path / "taxonomy.yaml")
    with pytest.raises(
        DataError, match="manifest.csv is missing: fetch the data with `dvc pull data.dvc`"
    ):
        list(Catalogue(tmp_path).rows())


def test_a_failing_writer_leaves_the_old_manifest(tmp_path: Path) -> None:
    path = _manifest(tmp_path, "images/a.jpg,,,,,")
    with pytest.raises(RuntimeError), ManifestWriter(path) as writer:
        writer.write(Row("images/b.jpg"))
        raise RuntimeError
    assert [row.image for row in read_manifest(path)] == ["images/a.jpg"]
    assert list(tmp_path.iterdir()) == [path]
