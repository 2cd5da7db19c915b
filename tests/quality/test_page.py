import base64
from collections.abc import Iterable
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from checked import Tables, known, missing, tables
from vitrine.core.manifest import Row
from vitrine.core.params import ImageParams, Params
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.quality import page
from vitrine.quality.checks import Check
from vitrine.quality.expectations import Outcome
from vitrine.quality.facts import Facts
from vitrine.quality.report import Report

HOSTILE = "<script>alert('1')</script> & \"q\" ${title} $side {x}"
VOID = {"meta", "link", "img", "br"}


class _Page(HTMLParser):
    """A page as a browser takes it: its tags with attributes, and the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"{self.open} are not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def pictures(self) -> list[Image.Image]:
        """The pictures that the page shows."""
        sources = [attributes["src"] or "" for tag, attributes in self.tags if tag == "img"]
        assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
        return [
            Image.open(BytesIO(base64.b64decode(source.partition(",")[2]))) for source in sources
        ]

    def of_class(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of the elements of a class."""
        return [found for _, found in self.tags if name in (found.get("class") or "").split()]


@pytest.fixture
def image(params: Params) -> ImageParams:
    return params.image


def _picture(root: Path, name: str, level: int = 100, size: tuple[int, int] = (40, 30)) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).save(path, "PNG")


def _outcome(
    places: Iterable[int],
    *,
    severity: str = "error",
    passed: bool = False,
    group: str | None = None,
    table: str = "images",
    title: str = "pictures are good",
) -> Outcome:
    check = Check(
        name="good_pictures",
        suite="quality",
        severity=severity,  # type: ignore[arg-type]
        title=title,
        table=table,
        column="image",
        rule="not_null",
        reason="{image} is bad" if table in ("images", "files") else "{label} is bad",
        group=group,
    )
    places = list(places)
    some = ", ".join(map(str, places))
    query = f"SELECT place FROM {table} WHERE place IN ({some})"
    return Outcome(check, passed, 1000, len(places), query)


def _rendered(made: Tables, image: ImageParams, *outcomes: Outcome, notes: str = "") -> _Page:
    report = Report(list(outcomes), made.connection, (notes,) if notes else ())
    return _Page(page.render(report, made.catalogue.root, image, "Data checks"))


def _numbered(folder: Path, count: int) -> list[tuple[Row, Facts]]:
    """Rows with a picture each, whose grey level is ten times its number."""
    for i in range(count):
        _picture(folder / "data", f"images/{i}.png", 10 * i)
    names = [f"images/{i}.png" for i in range(count)]
    return [(Row(name, "vintage", "home"), known(name)) for name in names]


def test_a_row_is_shown_with_picture_place_and_reason(tmp_path: Path, image: ImageParams) -> None:
    with tables(tmp_path, _numbered(tmp_path, 4)) as made:
        shown = _rendered(made, image, _outcome([1, 3]))
    assert [round(np.asarray(picture).mean()) for picture in shown.pictures()] == [10, 30]
    assert [picture.size for picture in shown.pictures()] == [(40, 30)] * 2
    assert "images/3.png" in shown.texts
    assert ", line 5" in shown.texts
    assert "images/3.png is bad" in shown.texts
    assert "Fault found in 2 of 1,000." in shown.texts


def test_large_pictures_are_made_small(tmp_path: Path, image: ImageParams) -> None:
    _picture(tmp_path / "data", "images/a.png", size=(2000, 500))
    with tables(tmp_path, [(Row("images/a.png"), known("images/a.png"))]) as made:
        (picture,) = _rendered(made, image, _outcome([0])).pictures()
    assert picture.size == (128, 32)


def test_a_file_that_cannot_be_shown_is_said_so(tmp_path: Path, image: ImageParams) -> None:
    names = ["images/gone.png", "images/text.png", "images/cut.png"]
    _picture(tmp_path / "data", names[2], size=(300, 300))
    cut = tmp_path / "data" / names[2]
    cut.write_bytes(cut.read_bytes()[:60])
    (tmp_path / "data" / names[1]).write_text("no picture")
    with tables(tmp_path, [(Row(name), missing(name)) for name in names]) as made:
        shown = _rendered(made, image, _outcome(range(3)))
    assert shown.pictures() == []
    assert shown.texts.count("no picture") == 3
    assert set(names) <= set(shown.texts)


def test_only_the_first_rows_are_shown_and_the_rest_counted(
    tmp_path: Path, image: ImageParams
) -> None:
    rows = [(Row(f"images/{i}.png"), missing(f"images/{i}.png")) for i in range(1030)]
    with tables(tmp_path, rows) as made:
        shown = _rendered(made, image, _outcome(range(1030)))
    assert len(shown.of_class("none")) == page.PICTURES == 24
    assert "… and 1,006 more in" in shown.texts


def test_images_of_one_group_are_shown_side_by_side(tmp_path: Path, image: ImageParams) -> None:
    images = _numbered(tmp_path, 6)
    with tables(tmp_path, images, near=[(0, 2), (0, 4), (1, 5)]) as made:
        # The first image of a group is none that breaks the check, but it belongs beside the others.
        shown = _rendered(made, image, _outcome([2, 4, 5], severity="warning", group="near_group"))
    assert len(shown.of_class("side")) == 2
    assert [round(np.asarray(one).mean()) for one in shown.pictures()] == [0, 20, 40, 10, 50]
    assert shown.texts.count("vintage / home") == 5
    assert "manifest.csv line 4, images/2.png: images/2.png is bad" in shown.texts
    assert not any("more in" in text for text in shown.texts)


def test_groups_come_in_the_order_of_the_manifest(tmp_path: Path, image: ImageParams) -> None:
    images = _numbered(tmp_path, 24)
    near = [(place, place + 12) for place in range(12)]
    with tables(tmp_path, images, near=near) as made:
        shown = _rendered(made, image, _outcome(range(12, 24), group="near_group"))
    assert [round(np.asarray(one).mean() / 10) for one in shown.pictures()] == [
        place for pair in near for place in pair
    ]


def test_many_groups_with_many_images_are_cut(tmp_path: Path, image: ImageParams) -> None:
    products = [f"p{i // 50:03}" for i in range(1000)]
    rows = [
        (Row(f"images/{i}.png", product=product), missing(f"images/{i}.png"))
        for i, product in enumerate(products)
    ]
    with tables(tmp_path, rows) as made:
        shown = _rendered(made, image, _outcome(range(1000), group="product"))
    assert 1 <= len(shown.of_class("side")) <= page.GROUPS
    assert len(shown.of_class("none")) == page.MEMBERS * len(shown.of_class("side"))
    more = next(text for text in shown.texts if text.startswith("… and "))
    assert 0 < int(more.split()[2].replace(",", "")) < 1000


def test_names_and_labels_of_people_are_only_text(tmp_path: Path, image: ImageParams) -> None:
    name = "images/<b>&'\"$x{y}.png"
    taxonomy = Taxonomy(styles=(Label(name=HOSTILE),), categories=(Label(name="home"),))
    _picture(tmp_path / "data", name)
    rows = [
        (Row(name, HOSTILE, product=HOSTILE), known(name)),
        (Row("images/b.png", HOSTILE, "home", HOSTILE), missing("images/b.png")),
    ]
    with tables(tmp_path, rows, taxonomy) as made:
        shown = _rendered(
            made,
            image,
            _outcome([0, 1], group="product", title=HOSTILE),
            _outcome([0], severity="warning", title=HOSTILE),
            _outcome([1], table="classes"),
            notes=HOSTILE,
        )
    assert {tag for tag, _ in shown.tags}.isdisjoint({"script", "b"})
    assert name in shown.texts
    assert f"{name} is bad" in shown.texts
    assert f"{HOSTILE} / ?" in shown.texts
    assert shown.texts.count(HOSTILE) >= 4  # titles, the note, the class
    assert f"{HOSTILE} is bad" in shown.texts
    allowed = {"class", "href", "id", "src", "alt", "style", "lang", "charset", "name", "content"}
    assert {key for _, attributes in shown.tags for key in attributes} <= allowed


def test_the_page_needs_nothing_but_itself(tmp_path: Path, image: ImageParams) -> None:
    with tables(tmp_path, _numbered(tmp_path, 3)) as made:
        report = Report([_outcome([0, 1])], made.connection)
        text = page.render(report, made.catalogue.root, image, "Data checks")
    assert "//" not in text.replace("base64,", "").partition("<body>")[0]
    shown = _Page(text)
    assert {tag for tag, _ in shown.tags}.isdisjoint({"script", "link", "iframe", "object"})
    links = {attributes["href"] for _, attributes in shown.tags if "href" in attributes}
    assert links == {"#good_pictures", "findings.csv", "data_docs/index.html"}
    assert "good_pictures" in [attributes.get("id") for _, attributes in shown.tags]
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize(
    ("outcomes", "kind", "words"),
    [
        ([_outcome([0]), _outcome([0], severity="warning")], "error", "1 error and 1 warning."),
        ([_outcome([0], severity="warning")], "warning", "found 1 warning."),
        ([_outcome([0], passed=True)], "passed", "found nothing wrong."),
        ([], "passed", "0 checks of 1 images found nothing wrong."),
    ],
)
def test_the_verdict_comes_first_in_its_colour(
    tmp_path: Path, image: ImageParams, outcomes: list[Outcome], kind: str, words: str
) -> None:
    with tables(tmp_path, _numbered(tmp_path, 1)) as made:
        shown = _rendered(made, image, *outcomes, notes="Compared with nothing.")
    (verdict,) = (attributes for tag, attributes in shown.tags if tag == "strong")
    assert verdict["class"] == kind
    assert any(text.endswith(words) for text in shown.texts)
    assert "Compared with nothing." in shown.texts


def test_every_check_is_in_the_overview_and_only_faults_have_a_section(
    tmp_path: Path, image: ImageParams
) -> None:
    with tables(tmp_path, _numbered(tmp_path, 2)) as made:
        shown = _rendered(
            made,
            image,
            _outcome([], passed=True, title="all is well"),
            _outcome([0], passed=True, title="few are bad"),
            _outcome([0, 1], severity="warning", title="some are bad"),
        )
    assert shown.texts.count("all is well") == 1
    assert shown.texts.count("few are bad") == shown.texts.count("some are bad") == 2
    assert "(good_pictures, tolerated)" in shown.texts
    assert "(good_pictures, warning)" in shown.texts
    assert "failed" in shown.texts


def test_classes_are_counted_the_largest_first(tmp_path: Path, image: ImageParams) -> None:
    labels = ["modern", "modern", "vintage", ""]
    rows = [(Row(f"images/{i}", one), missing(f"images/{i}")) for i, one in enumerate(labels)]
    with tables(tmp_path, rows) as made:
        texts = _rendered(made, image).texts
    assert texts.index("Images by style") < texts.index("modern") < texts.index("vintage")
    assert [text for text in texts if text.isdigit()] == ["2", "1", "0", "0"]
    assert {"home", "shoes", "Images by category"} <= set(texts)
