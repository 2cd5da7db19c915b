"""Fashion Product Images, with the faults of the published file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vitrine.core.errors import ImportFailed
from vitrine.core.manifest import Catalogue, Row
from vitrine.importers.fashion_product_images import FashionProductImages
from vitrine.importers.report import Imported

Photos = Callable[..., Path]
BringIn = Callable[..., Imported]
HEADER = (
    "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,"
    "productDisplayName"
)
REAL = Path(__file__).parents[3] / "shared/datasets/fashion-product-images"


def line(number: str, usage: str, category: str, name: str) -> str:
    return f"{number},Men,Apparel,{category},Tshirts,Blue,Winter,2015,{usage},{name}"


@pytest.fixture
def write(photos: Photos) -> Callable[..., Path]:
    """Write styles.csv beside images/1.jpg to 4.jpg."""
    folder = photos(*(f"images/{number}.jpg" for number in range(1, 5)))

    def to(*lines: str, header: str = HEADER) -> Path:
        text = "\n".join([header, *lines, ""])
        (folder / "styles.csv").write_text(text)
        return folder

    return to


def source(folder: Path) -> FashionProductImages:
    return FashionProductImages(folder, "usage", "subCategory")


def test_rows_become_images(write: Callable[..., Path], bring_in: BringIn) -> None:
    folder = write(
        line("1", "Casual", "Topwear", "Blue Tee"), line("2", "NA", "Shoes", '3.5" Heel')
    )
    bring_in(source(folder))
    assert list(Catalogue(Path("data")).rows()) == [
        Row("images/1.jpg", "Casual", "Topwear", "Blue Tee", "Blue Tee", ""),
        Row("images/2.jpg", "", "Shoes", '3.5" Heel', '3.5" Heel', ""),
    ]


def test_the_columns_can_be_chosen(write: Callable[..., Path], bring_in: BringIn) -> None:
    folder = write(line("1", "Casual", "Topwear", "Tee"))
    bring_in(FashionProductImages(folder, "season", "articleType"))
    row = next(Catalogue(Path("data")).rows())
    assert (row.style, row.category) == ("Winter", "Tshirts")


def test_commas_in_the_name_are_mended_and_told(
    write: Callable[..., Path], bring_in: BringIn
) -> None:
    folder = write(
        line("1", "Casual", "Topwear", "Tee, blue, large"),
        line("2", "Casual", "Topwear", '"Tee, red"'),
    )
    told = bring_in(source(folder)).describe()
    titles = [row.title for row in Catalogue(Path("data")).rows()]
    assert titles == ["Tee, blue, large", "Tee, red"]
    assert "Mended 1:" in told
    assert "1 x productDisplayName holds commas without quotes" in told
    assert "first: styles.csv line 2 (images/1.jpg)" in told


def test_missing_images_and_faulty_lines_are_told(
    write: Callable[..., Path], bring_in: BringIn
) -> None:
    folder = write(
        line("1", "Casual", "Topwear", "Tee"),
        line("39403", "Casual", "Topwear", "Gone"),
        "2,Men,Apparel",
        line("3", "Casual", "Topwear", '"A quote that never ends'),
        line("4", "Casual", "Topwear", "After it"),
    )
    with (folder / "styles.csv").open("ab") as file:
        file.write(line("2", "Casual", "Topwear", "Caf").encode() + b"\xe9\n")
    told = bring_in(source(folder)).describe()
    images = [row.image for row in Catalogue(Path("data")).rows()]
    assert images == ["images/1.jpg", "images/3.jpg", "images/4.jpg"]
    assert "1 x the file is missing; first: styles.csv line 3 (images/39403.jpg)" in told
    assert "1 x must have 10 values, but got 3; first: styles.csv line 4" in told
    assert "1 x the line is no UTF-8 CSV; first: styles.csv line 7" in told


def test_unknown_column(write: Callable[..., Path], bring_in: BringIn) -> None:
    folder = write(line("1", "Casual", "Topwear", "Tee"))
    with pytest.raises(
        ImportFailed, match="no column 'mood'; there are: id, gender, masterCategory"
    ):
        bring_in(FashionProductImages(folder, "mood", "subCategory"))


@pytest.mark.parametrize("place", ["nowhere", "source/images/1.jpg"])
def test_wrong_folder(place: str, write: Callable[..., Path], bring_in: BringIn) -> None:
    write()
    with pytest.raises(ImportFailed, match=r"styles.csv is missing: give the folder that holds"):
        bring_in(source(Path(place)))


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real photos are not on this machine")
def test_real_photos(bring_in: BringIn) -> None:
    result = bring_in(source(REAL), min_images=10)
    assert result.added + len(result.left_out) == 8000
    assert result.added > 7900
    assert result.labels["style"]["Casual"] == 6175
