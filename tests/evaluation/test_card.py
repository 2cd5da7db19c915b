"""The model card, and its page."""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from browser import chromium_page
from vitrine.bundle.format import BundleInfo, Computing, MeasuredPrecision
from vitrine.core.params import EvaluateParams, ImageParams, Params, override
from vitrine.core.taxonomy import HEADS, Label, Taxonomy
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.attacks import Attacked
from vitrine.evaluation.behaviour import CHANGES, Kept
from vitrine.evaluation.card import write_card
from vitrine.evaluation.card_page import card_page
from vitrine.evaluation.pictures import write_charts
from vitrine.evaluation.report import Circumstances, Report, judge
from vitrine.evaluation.slices import Slice
from vitrine.inputs.summary import UNLABELLED, SplitSummary, Summary

STYLES = ("plain", "_retro_ [*new*]")
CATEGORIES = ("shoe", "<b>lamp</b> | light", "灯")
KEPT = [Kept(change, 9, {"style": 1.0, "category": 0.9}) for change in CHANGES]
ATTACKED = [
    Attacked(attack, 2.0, 7, {"style": 0.5, "category": left}, {"style": 1.0, "category": 0.8})
    for attack, left in (("FGSM", 0.4), ("PGD", 0.123))
]

Card = Callable[..., str]


@pytest.fixture
def section(params: Params) -> EvaluateParams:
    return override(params.evaluate, {"bootstrap": 20})


@pytest.fixture
def taxonomy() -> Taxonomy:
    styles, categories = (
        tuple(Label(name=name) for name in names) for names in (STYLES, CATEGORIES)
    )
    return Taxonomy(styles=styles, categories=categories)


@pytest.fixture
def info(taxonomy: Taxonomy, described: Callable[[Taxonomy], BundleInfo]) -> BundleInfo:
    return described(taxonomy)


@pytest.fixture
def report(info: BundleInfo, section: EvaluateParams) -> Report:
    """Sixty images; the style of the first twenty-five, which are dark, is mostly wrong."""
    sure = np.array([0.9, 0.1])
    rows = np.arange(60)
    wrong = rows < 20
    style = np.where(wrong[:, None], sure[::-1], sure)
    category = np.random.default_rng(1).dirichlet((8, 1, 1), 60)
    answers = Answers(
        info.taxonomy,
        [f"images/{i}.jpg" for i in rows],
        {"style": np.where(rows < 50, 0, 1), "category": np.where(rows % 6, 0, 1)},
        {"style": style, "category": category},
    )
    slices = [Slice("brightness", "dark", rows < 25), Slice("brightness", "bright", rows >= 25)]
    return judge(answers, info, section, Circumstances(rows, slices, KEPT, ATTACKED))


@pytest.fixture
def card(report: Report, info: BundleInfo, section: EvaluateParams, small: ImageParams) -> Card:
    """Write the card of the report, with some parts of it replaced."""
    counts = {head: dict.fromkeys(info.taxonomy.names(head), 80) for head in HEADS}
    split = SplitSummary(images=240, shards={}, counts=counts)
    splits = dict.fromkeys(("train", "val", "test", UNLABELLED), split)
    summary = Summary(image=small, taxonomy=info.taxonomy, splits=splits)

    def write(
        pictures: set[str] = frozenset(), bundle: BundleInfo = info, **changes: object
    ) -> str:
        return write_card(replace(report, **changes), bundle, summary, section, pictures)

    return write


def _section(card: str, title: str) -> str:
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", card, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title}"
    return found[1].replace("\u00a0", " ")


def _row(text: str, first: str) -> list[str]:
    [row] = [line for line in text.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_it_says_what_the_bundle_is_for_and_knows(card: Card) -> None:
    use = _section(card(), "Intended use")
    assert "**For** labelling the products of a catalogue by style and category" in use
    assert "- as style: plain, \\_retro\\_ \\[\\*new\\*\\]." in use
    assert "**Not for**" in use


def test_the_splits_that_labels_are_learned_and_measured_on_are_told(card: Card) -> None:
    lines = [line for line in _section(card(), "Data").splitlines() if line]
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["train", "val", "test"]
    assert _row("\n".join(lines), "train") == ["train", "240", "160", "240"]


def test_quality_comes_with_intervals(card: Card, report: Report) -> None:
    measures = report.heads["style"].measures
    told = _row(_section(card(), "Quality"), "Accuracy")[1]
    low, high = measures["accuracy_low"], measures["accuracy_high"]
    assert told == f"{measures['accuracy']:.3f} ({low:.3f} to {high:.3f})"
    assert low < measures["accuracy"] < high


def test_calibration_is_told_before_and_after(card: Card, report: Report, info: BundleInfo) -> None:
    text = _section(card(), "Calibration")
    _, before, after, *_ = _row(text, "Log-loss")
    head = report.heads["style"]
    assert before == f"{head.uncalibrated['log_loss']:.3f}"
    assert after.startswith(f"{head.measures['log_loss']:.3f} (")
    assert before != after[:5]
    assert f"{info.calibration['style']:.2f} (style)" in text


def test_it_says_below_what_an_answer_is_unsure(card: Card) -> None:
    row = _row(_section(card(), "Unsure answers"), "style")
    assert row == ["style", "below 0.750", "95%", "100.0% (60)", "50.0%", "50.0%"]


def test_a_head_that_is_never_sure_is_told(card: Card, report: Report) -> None:
    never = replace(
        report.heads["style"].abstention, threshold=2.0, images=0, coverage=0.0, accuracy=None
    )
    heads = report.heads | {"style": replace(report.heads["style"], abstention=never)}
    row = _row(_section(card(heads=heads), "Unsure answers"), "style")
    assert row[1:5] == ["always", "95%", "0.0% (0)", ""]


def test_the_worst_slice_is_named(card: Card, report: Report) -> None:
    text = _section(card(), "Slices")
    worst = report.worst_slices["style"]
    assert worst.name == "brightness: dark"
    assert "**brightness: dark**: 20.0% of 25 images right, 51.4 points less" in text
    least = report.worst_slices["category"]
    assert not least.weak
    assert "No slice is worse for the category than the other images beyond chance" in text
    assert f"may be chance, is that of **{least.name}**: {least.accuracy:.1%} of" in text
    row = _row(text, "brightness: dark")
    assert row[1:3] == ["style", "25"]
    assert row[4] == "-51.4 points"


def test_without_slices_that_is_told(card: Card) -> None:
    assert "so none was measured" in _section(card(slices=[], worst_slices={}), "Slices")


def test_behaviour_is_told_with_its_strengths(card: Card, section: EvaluateParams) -> None:
    text = _section(card(), "Behaviour")
    quality = section.behaviour.jpeg_quality
    assert _row(text, f"saved as JPEG of quality {quality}")[1:] == ["9", "100.0%", "90.0%"]
    assert text.count("| 9 |") == len(CHANGES)


def test_robustness_is_told_beside_the_clean_accuracy(card: Card) -> None:
    text = _section(card(), "Robustness")
    assert _row(text, "none")[1:] == ["100.0%", "80.0%"]
    assert _row(text, "PGD")[1:] == ["50.0%", "12.3%"]
    assert "7 test images, no pixel changed by more than 2 grey levels" in text


def test_the_choice_of_the_precision_is_told(card: Card, info: BundleInfo) -> None:
    assert "## Precision" not in card()
    measured = tuple(
        MeasuredPrecision(
            precision=precision,
            images_per_second=speed,
            agreement={"style": 1.0, "category": 1.0},
            accuracy={"style": 0.875},
            macro_f1={"style": 0.8},
        )
        for precision, speed in (("f32", 1234.5), ("bf16", 2345.6))
    )
    computing = Computing(precision="bf16", measured=measured)
    text = _section(card(bundle=info.model_copy(update={"computing": computing})), "Precision")
    assert "computes in bf16" in text
    assert _row(text, "f32") == ["f32", "1,234", "0.875, 0.800", ""]
    assert _row(text, "bf16") == ["bf16", "2,346", "0.875, 0.800", ""]


def test_what_was_not_tried_is_a_limit(card: Card) -> None:
    text = card(behaviour=[], robustness=[])
    assert "## Behaviour" not in text
    assert "## Robustness" not in text
    limits = _section(text, "Limits")
    assert "changed images was not measured" in limits
    assert "made to mislead it was not measured" in limits
    assert "not measured: 灯" in limits
    assert "not measured" not in _section(card(), "Limits").replace("not measured: 灯", "")


def test_every_class_has_its_row_with_intervals(card: Card, report: Report) -> None:
    text = _section(card(), "Style by class")
    plain = report.heads["style"].classes[0]
    row = _row(text, "plain")
    assert row[1] == "50"
    assert row[4] == f"{plain.f1:.2f} ({plain.f1_low:.2f} to {plain.f1_high:.2f})"
    assert "Weakest" not in text


def test_only_pictures_that_exist_are_shown(card: Card) -> None:
    assert "![" not in card()
    shown = card({"attention.png", "slices_style.png"})
    assert re.findall(r"!\[.*\]\((.*)\)", shown) == [
        "plots/slices_style.png",
        "plots/attention.png",
    ]


class _Reader(HTMLParser):
    """Collects the tags of a page and the texts of its cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def test_names_are_shown_as_they_are(card: Card, tmp_path: Path) -> None:
    page = _Reader(card_page(card(), tmp_path))
    cells = [cell.strip() for cell in page.cells]
    for name in ("_retro_ [*new*]", "<b>lamp</b> | light"):
        assert name in cells
    assert not page.all("b")


def test_the_page_holds_its_pictures(card: Card, tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    PIL.Image.new("RGB", (3, 2), (9, 200, 30)).save(tmp_path / "plots/coverage.png")
    page = _Reader(card_page(card({"coverage.png"}), tmp_path))
    [picture] = page.all("img")
    assert picture["alt"] == "Accuracy of the surest answers over their share"
    start = "data:image/png;base64,"
    assert str(picture["src"]).startswith(start)
    data = b64decode(str(picture["src"]).removeprefix(start))
    assert data == (tmp_path / "plots/coverage.png").read_bytes()


@pytest.mark.parametrize(
    "source", ["../secret.png", "/etc/passwd", "http://example.org/a.png", "plots/../../a.png"]
)
def test_no_other_file_gets_into_the_page(tmp_path: Path, source: str) -> None:
    page = card_page(f"# A card\n\n![words]({source})\n", tmp_path)
    assert not _Reader(page).all("img")
    assert "words" in page


def test_html_in_a_card_is_text(tmp_path: Path) -> None:
    page = card_page("# A <script>card</script>\n\n<script>alert(1)</script>\n", tmp_path)
    assert not _Reader(page).all("script")


def test_the_page_can_be_found_through_by_keyboard_and_reader(card: Card, tmp_path: Path) -> None:
    page = _Reader(card_page(card(), tmp_path))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    headings = {str(heading["id"]) for heading in page.all("h2")}
    assert [link["href"] for link in page.all("a")] == [
        f"#{heading['id']}" for heading in page.all("h2")
    ]
    frames = page.all("div")
    assert len(frames) == len(page.all("table"))
    for frame in frames:
        assert frame["tabindex"] == "0"
        assert frame["role"] == "region"
        assert frame["aria-labelledby"] in headings
    assert all(cell["scope"] == "col" for cell in page.all("th"))


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_browser_shows_it_without_a_network(
    card: Card, report: Report, tmp_path: Path, width: int, scheme: str
) -> None:
    (tmp_path / "plots").mkdir()
    write_charts(tmp_path / "plots", report)
    names = {path.name for path in (tmp_path / "plots").iterdir()}
    assert {"slices_style.png", "per_class_category.png", "robustness.png"} < names
    path = tmp_path / "card.html"
    path.write_text(card_page(card(names), tmp_path), encoding="utf-8")
    with chromium_page(width=width, scheme=scheme) as visit:
        visit.page.goto(path.as_uri())
        assert (visit.refused, visit.faults) == ([], [])
        assert visit.page.evaluate("document.documentElement.scrollWidth") == width
        widths = visit.page.eval_on_selector_all("img", "all => all.map(i => i.naturalWidth)")
        assert len(widths) == len(names)
        assert min(widths) > 300
        ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
