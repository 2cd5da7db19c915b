"""Tables with all kinds of columns, encodings and faults."""

from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from vitrine.core.errors import ImportFailed
from vitrine.core.manifest import Catalogue, Row
from vitrine.importers.report import Imported
from vitrine.importers.table import Table

Photos = Callable[..., Path]
BringIn = Callable[..., Imported]
FIELDS = ("image", "style", "category", "product", "title", "split")


def table(path: Path, images: Path | None = None, encoding: str = "utf-8", **columns: str) -> Table:
    return Table(path, {field: columns.get(field) for field in FIELDS}, images, encoding)


@pytest.fixture
def write(photos: Photos) -> Callable[..., Path]:
    """Write a CSV file beside the photos a.jpg, b.jpg and c.jpg."""
    folder = photos("a.jpg", "b.jpg", "c.jpg")

    def to(text: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
        path = folder / name
        path.write_bytes(text.encode(encoding))
        return path

    return to


def rows() -> list[Row]:
    return list(Catalogue(Path("data")).rows())


def test_columns_named_like_the_fields(write: Callable[..., Path], bring_in: BringIn) -> None:
    text = (
        "image,style,category,product,title,split\n"
        'a.jpg,vintage,hat,p1,"Hat, red",train\n'
        "b.jpg,,hat,,,test\n"
    )
    bring_in(table(write(text)))
    assert rows() == [
        Row("images/a.jpg", "vintage", "hat", "p1", "Hat, red", "train"),
        Row("images/b.jpg", "", "hat", "", "", "test"),
    ]


def test_other_columns_are_mapped(write: Callable[..., Path], bring_in: BringIn) -> None:
    text = "file;kind;colour;category\na.jpg; hat ;red;x\nb.jpg;NA;blue;x\nc.jpg;shoe;nan;x\n"
    result = bring_in(table(write(text), image="file", category="kind", style="colour"))
    assert [(row.style, row.category) for row in rows()] == [
        ("red", "hat"),
        ("blue", ""),
        ("", "shoe"),
    ]
    assert "style: 2 labels (red 1, blue 1); 1 image without" in result.describe()


def test_rows_without_a_label_are_reported(write: Callable[..., Path], bring_in: BringIn) -> None:
    told = bring_in(table(write("image,category\na.jpg,hat\nb.jpg,\n"))).describe()
    assert "1 x no style and no category; first: list.csv line 3 (b.jpg)" in told


def test_two_rows_for_one_image(write: Callable[..., Path], bring_in: BringIn) -> None:
    text = "image,category\na.jpg,hat\nb.jpg,hat\na.jpg,shoe\n"
    told = bring_in(table(write(text))).describe()
    assert [row.category for row in rows()] == ["hat", "hat"]
    assert "1 x the same image is in already; first: list.csv line 4 (a.jpg)" in told


def test_images_elsewhere(photos: Photos, bring_in: BringIn, workplace: Path) -> None:
    folder = photos("x/a.jpg", "b.jpg")
    path = workplace / "list.tsv"
    path.write_text(
        f"image\tcategory\nx/a.jpg\that\n{folder / 'b.jpg'}\that\n../source/b.jpg\that\n"
    )
    result = bring_in(table(path, images=folder))
    assert [row.image for row in rows()] == [
        "images/x/a.jpg",
        "images/b.jpg",
        "images/source/b.jpg",
    ]
    assert result.added == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_encodings(encoding: str, write: Callable[..., Path], bring_in: BringIn) -> None:
    path = write("image,category,title\na.jpg,裙子,红色\n", encoding=encoding)
    bring_in(table(path, encoding="UTF-8" if encoding == "utf-8-sig" else encoding))
    assert (rows()[0].category, rows()[0].title) == ("裙子", "红色")


@pytest.mark.parametrize(("encoding", "given"), [("gb18030", "utf-8"), ("utf-8", "martian")])
def test_wrong_encoding(
    encoding: str, given: str, write: Callable[..., Path], bring_in: BringIn
) -> None:
    path = write("image,category\na.jpg,裙子\n", encoding=encoding)
    with pytest.raises(
        ImportFailed, match=r"list.csv cannot be read as .*: name its encoding, with"
    ):
        bring_in(table(path, encoding=given))
    assert not Path("data").exists()


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("file,category\n", {}, "no column 'image': say with --image .* There are: file, category"),
        ("image,category\n", {"style": "era"}, "no column 'era': say with --style"),
        ("image,kind\n", {}, "neither a column 'style' nor 'category'.*There are: image, kind"),
        ("", {}, "is empty: its first line must name the columns"),
    ],
)
def test_missing_columns(
    text: str,
    columns: dict[str, str],
    message: str,
    write: Callable[..., Path],
    bring_in: BringIn,
) -> None:
    with pytest.raises(ImportFailed, match=message):
        bring_in(table(write(text), **columns))


def test_faulty_rows_are_reported(write: Callable[..., Path], bring_in: BringIn) -> None:
    text = (
        "image,category,split\n"
        "a.jpg,hat\n"
        "\n"
        ",hat,\n"
        "b.jpg,hat,holdout\n"
        "gone.jpg,hat,\n"
        "c.jpg,hat,validation\n"
    )
    told = bring_in(table(write(text))).describe()
    assert rows() == [Row("images/c.jpg", "", "hat", "", "", "val")]
    assert "Left out 4 " in told
    assert "must have 3 values, as the header has, but got 2; first: list.csv line 2" in told
    assert "names no image; first: list.csv line 4" in told
    assert (
        "split must be train, val, test or empty, but got 'holdout'; first: list.csv line 5" in told
    )
    assert "the file is missing; first: list.csv line 6 (gone.jpg)" in told


def test_broken_csv(write: Callable[..., Path], bring_in: BringIn) -> None:
    with pytest.raises(ImportFailed, match=r"list.csv line 2 is not valid CSV"):
        bring_in(table(write('image,category\n"a.jpg"x,hat\n')))


def test_no_file(workplace: Path, bring_in: BringIn) -> None:
    with pytest.raises(
        ImportFailed, match="nowhere.csv is not a file: give a CSV or Parquet table"
    ):
        bring_in(table(Path("nowhere.csv")))


def test_parquet(photos: Photos, bring_in: BringIn) -> None:
    folder = photos("a.jpg", "b.jpg", "c.jpg")
    columns = {
        "path": ["a.jpg", "b.jpg", "c.jpg"],
        "category": pyarrow.array(["hat", None, "hat"]).dictionary_encode(),
        "style": [1970, 1980, None],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "list.parquet")
    bring_in(table(folder / "list.parquet", image="path"))
    assert [(row.style, row.category) for row in rows()] == [
        ("1970", "hat"),
        ("1980", ""),
        ("", "hat"),
    ]


def test_broken_parquet(write: Callable[..., Path], bring_in: BringIn) -> None:
    with pytest.raises(ImportFailed, match=r"list.parquet is not a valid Parquet file"):
        bring_in(table(write("image,category\n", name="list.parquet")))
