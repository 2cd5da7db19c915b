"""The drawn catalogue: whole, deterministic, balanced, and a contract-keeping data folder."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from vitrine.core.digests import folder_digest
from vitrine.core.errors import DataError
from vitrine.core.manifest import Catalogue
from vitrine.core.taxonomy import HEADS
from vitrine.demo import draw_catalogue
from vitrine.demo.labels import CELLS


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    root = tmp_path_factory.mktemp("demo") / "data"
    draw_catalogue(root, images=60, size=32, seed=3)
    return Catalogue(root)


def digest(root: Path) -> str:
    return folder_digest(root, [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()])


def test_rows_and_files_agree(catalogue: Catalogue) -> None:
    rows = list(catalogue.rows())

    assert len(rows) == 60
    assert {row.image for row in rows} == {
        f"images/{path.name}" for path in (catalogue.root / "images").iterdir()
    }
    for row in rows:
        with Image.open(catalogue.path(row)) as image:
            assert (image.format, image.mode, image.height) == ("JPEG", "RGB", 32)
            assert image.width in (26, 32)


def test_labels_have_names_in_two_languages(catalogue: Catalogue) -> None:
    taxonomy = catalogue.taxonomy()

    for head in HEADS:
        assert len(taxonomy.labels(head)) >= 3
        for label in taxonomy.labels(head):
            assert label.text("zh") != label.text("en") != ""


def test_views_of_a_product_share_what_it_is(catalogue: Catalogue) -> None:
    products: dict[str, list[tuple[str, str, str]]] = {}
    for row in catalogue.rows():
        products.setdefault(row.product, []).append((row.title, row.style, row.category))

    counts = Counter(len(views) for views in products.values())
    assert set(counts) <= {1, 2, 3, 4}
    assert counts[1] < len(products)
    for views in products.values():
        titles, *labels = ({view[i] for view in views} - {""} for i in range(3))
        assert len(titles) == 1
        assert all(len(names) <= 1 for names in labels)


def test_views_are_different_pictures(catalogue: Catalogue) -> None:
    contents = {catalogue.path(row).read_bytes() for row in catalogue.rows()}

    assert len(contents) == 60


@pytest.mark.parametrize("images", [9, 10, 37])
def test_every_cell_is_drawn(tmp_path: Path, images: int) -> None:
    drawn = draw_catalogue(tmp_path / "data", images=images, size=32, seed=1)

    assert set(drawn.counts) == set(CELLS)
    assert sum(drawn.counts.values()) == drawn.images == images
    assert len(list(Catalogue(drawn.root).rows())) == images


def test_style_and_category_are_independent(tmp_path: Path) -> None:
    drawn = draw_catalogue(tmp_path / "data", images=270, size=24, seed=5)
    products = Counter(
        (row.product, row.style, row.category) for row in Catalogue(drawn.root).rows()
    )
    cells = Counter((style, category) for _, style, category in products if style and category)

    assert set(cells) == set(CELLS)
    assert max(drawn.counts.values()) < 1.7 * min(drawn.counts.values())


def test_a_share_of_labels_is_missing_from_each_head(tmp_path: Path) -> None:
    drawn = draw_catalogue(tmp_path / "data", images=100, size=24, seed=5)
    rows = list(Catalogue(drawn.root).rows())

    assert drawn.unlabelled == {"style": 8, "category": 8}
    assert sum(not row.style for row in rows) == sum(not row.category for row in rows) == 8


def test_the_seed_alone_decides_the_bytes_in_any_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from vitrine.demo import draw_catalogue; "
        "draw_catalogue(Path(sys.argv[1]), images=18, size=32, seed=11)"
    )
    for name in ("first", "second"):
        subprocess.run([sys.executable, "-c", program, tmp_path / name], check=True)
    draw_catalogue(tmp_path / "other", images=18, size=32, seed=12)

    assert digest(tmp_path / "first") == digest(tmp_path / "second")
    assert digest(tmp_path / "first") != digest(tmp_path / "other")


def test_a_catalogue_is_replaced_only_when_told(tmp_path: Path) -> None:
    draw_catalogue(tmp_path / "data", images=9, size=32, seed=1)
    before = digest(tmp_path / "data")

    with pytest.raises(DataError, match=r"data already holds a catalogue.*--replace"):
        draw_catalogue(tmp_path / "data", images=9, size=32, seed=2)
    assert digest(tmp_path / "data") == before

    draw_catalogue(tmp_path / "data", images=9, size=32, seed=2, replace=True)
    assert digest(tmp_path / "data") != before


def test_a_folder_of_other_things_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(DataError, match="is no catalogue"):
        draw_catalogue(tmp_path, images=9, size=32, seed=1, replace=True)

    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vitrine.demo.catalogue.photograph", fail)
    with pytest.raises(OSError, match="No space left"):
        draw_catalogue(tmp_path / "data", images=9, size=32, seed=1)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("images", "size", "words"),
    [(8, 32, "images must be at least 9.*got 8"), (9, 8, "size must be at least 24.*got 8")],
)
def test_too_small_is_refused(tmp_path: Path, images: int, size: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        draw_catalogue(tmp_path / "data", images=images, size=size, seed=1)
