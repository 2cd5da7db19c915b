from contextlib import closing
from pathlib import Path

import pytest

from checked import fill, known, missing, tables
from vitrine.core.errors import DataError
from vitrine.core.manifest import Row, numbered_rows, read_manifest
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.quality import database
from vitrine.quality.facts import Facts


def _row(name: str, *values: str) -> Row:
    return Row(f"images/{name}", *values)


def test_an_image_is_a_row_with_labels_and_facts(tmp_path: Path) -> None:
    row = _row("ü 1.jpg", "vintage", "home", "p1", "two\nlines", "val")
    with tables(tmp_path, [(row, known(row.image, md5="m", width=300, height=200))]) as made:
        (found,) = map(dict, made.connection.execute("SELECT * FROM images"))
    assert {name: found[name] for name in Row.__slots__} == {
        name: getattr(row, name) for name in Row.__slots__
    }
    expected = {
        "place": 0,
        "line": 3,
        "md5": "m",
        "found": 1,
        "fault": None,
        "shorter_side": 200,
        "longer_side": 300,
        "named_right": 1,
        "pair": "vintage + home",
        "labels": "vintage / home",
        "contrast": 60.0,
        "repeats": None,
        "near": None,
        "near_group": None,
        "earlier_md5": None,
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("facts", "found", "fault"),
    [
        (known("images/a.jpg"), 1, None),
        (missing("images/a.jpg"), 0, None),
        (Facts("images/a.jpg", reason="the file is empty", bytes=0), 1, "the file is empty"),
    ],
)
def test_a_missing_file_is_not_also_a_damaged_one(
    tmp_path: Path, facts: Facts, found: int, fault: str | None
) -> None:
    with tables(tmp_path, [(_row("a.jpg"), facts)]) as made:
        assert made.select("SELECT found, fault FROM images") == [(found, fault)]


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    with tables(tmp_path, [(_row("a.jpg", "vintage"), missing("images/a.jpg"))]) as made:
        columns = "category, product, title, split, pair, labels, shorter_side, named_right, md5"
        assert made.select(f"SELECT {columns} FROM images") == [
            (None, None, None, None, None, "vintage / ?", None, None, None)
        ]


@pytest.mark.parametrize(
    ("name", "format", "named_right"),
    [
        ("a.jpg", "JPEG", 1),
        ("a.JPEG", "JPEG", 1),
        ("a.jfif", "MPO", 1),
        ("a.png", "JPEG", 0),
        ("a.jpg", "PNG", 0),
        ("a.tar.tif", "TIFF", 1),
        ("a.webp", "GIF", 0),
        ("a.data", "PNG", None),
        ("a", "PNG", None),
        (".png", "JPEG", None),
    ],
)
def test_an_ending_fits_the_content_or_does_not_or_says_nothing(
    tmp_path: Path, name: str, format: str, named_right: int | None
) -> None:
    with tables(tmp_path, [(_row(name), known(f"images/{name}", format=format))]) as made:
        assert made.select("SELECT named_right FROM images") == [(named_right,)]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("title", ["", "two\nlines", "a\r\nb\rc\n\nd", "é\u2028\x85"])
def test_lines_are_numbered_as_an_editor_and_the_readers_errors_do(
    tmp_path: Path, title: str, newline: str
) -> None:
    path = tmp_path / "manifest.csv"
    lines = [
        "image,style,category,product,title,split",
        f'images/a.jpg,,,,"{title}",',
        "images/b.jpg,,,,,",
        "images/c.jpg,,,,,dev",
    ]
    path.write_bytes(newline.join(lines).encode())
    rows = numbered_rows(path)
    next(rows)
    line, _ = next(rows)
    with pytest.raises(DataError, match=f"^manifest\\.csv line {line + 1}: split must be"):
        list(read_manifest(path))


def test_equal_files_name_the_first_of_them(tmp_path: Path) -> None:
    contents = {"a": "1", "b": "2", "c": "1", "d": "3", "e": "1", "f": None, "g": None}
    images = [
        (
            _row(name),
            known(f"images/{name}", sha256=content) if content else missing(f"images/{name}"),
        )
        for name, content in contents.items()
    ]
    with tables(tmp_path, images) as made:
        assert made.select("SELECT image, repeats FROM images WHERE repeats IS NOT NULL") == [
            ("images/c", "images/a"),
            ("images/e", "images/a"),
        ]


def test_near_duplicates_name_the_first_of_their_group(tmp_path: Path) -> None:
    images = [(_row(name), known(f"images/{name}")) for name in "abcdefg"]
    with tables(tmp_path, images, near=[(1, 2), (3, 5), (1, 6)]) as made:
        assert made.select("SELECT image, near, near_group FROM images ORDER BY place") == [
            ("images/a", None, None),
            ("images/b", None, 1),
            ("images/c", "images/b", 1),
            ("images/d", None, 3),
            ("images/e", None, None),
            ("images/f", "images/d", 3),
            ("images/g", "images/b", 1),
        ]


def test_files_without_a_row_are_told_from_those_with_one(tmp_path: Path) -> None:
    catalogue = fill(tmp_path / "data", [(_row("a.jpg"), known("images/a.jpg"))])
    for name in ("a.jpg", "b.jpg", "deep/er/ü.jpg", "deep/a.jpg", "aside.jpg"):
        path = catalogue.root / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (catalogue.root / "other.txt").touch()
    with closing(database.open_database(tmp_path / "c.db")) as connection:
        database.load_images(connection, catalogue, tmp_path / "facts.parquet")
        database.load_files(connection, catalogue.root, ["images/aside.jpg", "images/gone.jpg"])
        found = connection.execute("SELECT image, listed FROM files ORDER BY place").fetchall()
    assert [tuple(row) for row in found] == [
        ("images/a.jpg", 1),
        ("images/aside.jpg", 1),
        ("images/b.jpg", 0),
        ("images/deep/a.jpg", 0),
        ("images/deep/er/ü.jpg", 0),
    ]


def test_a_file_whose_name_is_no_text_is_listed_all_the_same(tmp_path: Path) -> None:
    catalogue = fill(tmp_path / "data", [])
    with closing(database.open_database(tmp_path / "c.db")) as connection:
        database.load_images(connection, catalogue, tmp_path / "facts.parquet")
        try:
            (catalogue.root / "images" / "caf\udce9.jpg").touch()
        except (OSError, UnicodeError):
            pytest.skip("this file system has only names of UTF-8")
        database.load_files(connection, catalogue.root, [])
        (row,) = connection.execute("SELECT image, listed FROM files").fetchall()
    assert tuple(row) == (r"images/caf\xe9.jpg", 0)


def test_a_data_folder_without_images_has_no_files(tmp_path: Path) -> None:
    catalogue = fill(tmp_path / "data", [])
    (catalogue.root / "images").rmdir()
    with closing(database.open_database(tmp_path / "c.db")) as connection:
        assert database.load_images(connection, catalogue, tmp_path / "facts.parquet") == 0
        database.load_files(connection, catalogue.root, [])
        assert connection.execute("SELECT count(*) FROM files").fetchone()[0] == 0


def test_classes_are_counted_those_without_images_too(tmp_path: Path) -> None:
    labels = [("vintage", "home"), ("vintage", ""), ("modern", "home"), ("vintage", "lamp")]
    images = [(_row(f"{i}", *pair), known(f"images/{i}")) for i, pair in enumerate(labels)]
    with tables(tmp_path, images) as made:
        assert made.select("SELECT head, label, images FROM classes ORDER BY place") == [
            ("style", "vintage", 3),
            ("style", "modern", 1),
            ("category", "home", 2),
            ("category", "shoes", 0),
        ]
        # The largest and the smallest are those that have images at all.
        assert made.select("SELECT * FROM heads ORDER BY place") == [
            (1, "style", 4, 0, 0.0, "vintage", "modern", 3, 1, 3.0),
            (2, "category", 4, 1, 0.25, "home", "home", 2, 2, 1.0),
        ]


def test_a_head_without_labelled_images_is_not_judged(tmp_path: Path) -> None:
    taxonomy = Taxonomy(styles=(), categories=(Label(name="home"),))
    with tables(tmp_path, [(_row("a"), known("images/a"))], taxonomy) as made:
        assert made.select("SELECT head, images FROM classes") == [("category", 0)]
        assert made.select("SELECT * FROM heads") == []


def test_a_replaced_file_has_its_earlier_digest(tmp_path: Path) -> None:
    images = [(_row(name), known(f"images/{name}")) for name in "ab"]
    with tables(tmp_path, images) as made:
        made.connection.execute("CREATE TABLE replaced (image, earlier_md5)")
        made.connection.execute("INSERT INTO replaced VALUES ('images/b', 'then')")
        database.load_replaced(made.connection)
        assert made.select("SELECT image, earlier_md5 FROM images ORDER BY place") == [
            ("images/a", None),
            ("images/b", "then"),
        ]


def test_facts_that_are_missing_are_named(tmp_path: Path) -> None:
    catalogue = fill(tmp_path / "data", [(_row("a"), known("images/a"))])
    (tmp_path / "facts.parquet").unlink()
    with (
        closing(database.open_database(tmp_path / "c.db")) as connection,
        pytest.raises(DataError, match=r"facts\.parquet is missing: make it with"),
    ):
        database.load_images(connection, catalogue, tmp_path / "facts.parquet")


@pytest.mark.parametrize("names", ["a", "abc", "ac", "ba", ""])
def test_facts_of_another_manifest_are_refused(tmp_path: Path, names: str) -> None:
    catalogue = fill(tmp_path / "data", [(_row(name), known(f"images/{name}")) for name in "ab"])
    fill(tmp_path / "other", [(_row(name), known(f"images/{name}")) for name in names])
    words = r"facts\.parquet is of another version of .*manifest\.csv: make it with `vitrine val"
    with (
        closing(database.open_database(tmp_path / "c.db")) as connection,
        pytest.raises(DataError, match=words),
    ):
        database.load_images(connection, catalogue, tmp_path / "facts.parquet")
