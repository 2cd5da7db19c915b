"""The pictures: drawn for few and many classes, and of the right images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from vitrine.bundle.runtime import Predictions, Runtime
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.evaluation.abstention import abstain
from vitrine.evaluation.answers import Answers, HeadAnswers
from vitrine.evaluation.attacks import Attacked
from vitrine.evaluation.attention import attention_sheet, misjudged, typical
from vitrine.evaluation.behaviour import Kept
from vitrine.evaluation.charts import confusion, coverage_chart, reliability_diagram
from vitrine.evaluation.dot_charts import (
    behaviour_chart,
    class_chart,
    robustness_chart,
    slice_chart,
)
from vitrine.evaluation.figures import BLUE, RED, save, shorten
from vitrine.evaluation.gallery import mistake_sheet, worst_mistakes
from vitrine.evaluation.metrics import ClassScore
from vitrine.evaluation.pictures import write_examples
from vitrine.evaluation.reliability import reliability, uncalibrated
from vitrine.evaluation.slices import SliceScore

Given = Callable[..., HeadAnswers]


@pytest.fixture
def head(given: Given) -> HeadAnswers:
    """Answers a (right), b (wrong, 0.6), b (wrong, 0.9), b (right), a (right, surer)."""
    rows = [[0.7, 0.3, 0], [0.4, 0.6, 0], [0.1, 0.9, 0], [0.2, 0.8, 0], [0.8, 0.2, 0]]
    return given([0, 0, 2, 1, 0], rows)


def _size(path: Path) -> tuple[int, int]:
    with PIL.Image.open(path) as picture:
        return picture.size


@pytest.mark.parametrize("classes", [1, 2, 25, 120])
def test_a_confusion_matrix_grows_with_its_classes_but_not_beyond_measure(
    drawn: Callable[..., HeadAnswers], tmp_path: Path, classes: int
) -> None:
    names = [f"class number {i}" for i in range(classes)]
    save(confusion(drawn(40 * classes, names)), tmp_path / "c.png")
    width, height = _size(tmp_path / "c.png")
    assert max(22 * min(classes, 100), 400) < width < 3200
    assert 400 < height < 3200


def test_only_classes_that_occur_take_space(given: Given) -> None:
    figure = confusion(given([0, 3], [[0.9, 0.1, 0, 0], [0, 0.2, 0.1, 0.7]]))
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["a", "d"]


def test_names_in_other_scripts_are_drawn_without_a_warning(given: Given, tmp_path: Path) -> None:
    head = given([0, 1], [[0.9, 0.1], [0.3, 0.7]], "女装", r"10 $\no$")
    save(confusion(head), tmp_path / "c.png")
    assert _size(tmp_path / "c.png")[0] > 300


def test_the_reliability_of_every_head_is_drawn_before_and_after(
    drawn: Callable[..., HeadAnswers], tmp_path: Path
) -> None:
    head = drawn(200, "abc")
    bins, before = reliability(head, 10), reliability(uncalibrated(head, 3.0), 10)
    figure = reliability_diagram({"style": bins}, {"style": before})
    save(figure, tmp_path / "one.png")
    both = dict.fromkeys(("style", "category"), bins)
    save(reliability_diagram(both, both), tmp_path / "two.png")
    assert _size(tmp_path / "two.png")[0] == pytest.approx(
        2 * _size(tmp_path / "one.png")[0], abs=9
    )
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    shares = [float(text.split("error ")[1].rstrip("%")) for text in legend]
    assert legend[0].startswith("before")
    assert shares[0] > shares[1] + 5


def _texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for axes in figure.axes for text in axes.texts)


def test_the_chosen_threshold_is_marked_on_the_curve(
    drawn: Callable[..., HeadAnswers], tmp_path: Path
) -> None:
    head = drawn(300, "abc")
    found = abstain(head, 0.8, 0.9)
    figure = coverage_chart({"category": found})
    save(figure, tmp_path / "c.png")
    [[place]] = figure.axes[0].collections[0].get_offsets()[None]
    assert tuple(place) == pytest.approx((found.coverage, found.accuracy))
    assert "0.80" in _texts(figure)
    assert "wanted: 90%" in _texts(figure)


def test_a_threshold_that_nothing_reaches_is_told(drawn: Callable[..., HeadAnswers]) -> None:
    figure = coverage_chart({"category": abstain(drawn(30, "abc"), 2.0, 0.9)})
    assert "no answer is sure enough" in _texts(figure)
    assert not figure.axes[0].collections


def _score(name: str, images: int, f1: float) -> ClassScore:
    return ClassScore(name, images, f1, f1, f1, "", 0, f1_low=f1 - 0.1, f1_high=f1 + 0.05)


def _rows(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_the_most_frequent_class_is_on_top() -> None:
    scores = [_score("rare", 3, 0.2), _score("common", 90, 0.8), _score("灯 $x$", 40, 0.5)]
    figure = class_chart("category", scores)
    assert _rows(figure) == ["common (90)", "灯 $x$ (40)", "rare (3)"]
    lines, dots = figure.axes[0].collections[:2]
    assert [tuple(place) for place in dots.get_offsets()] == [(0.8, 0), (0.5, 1), (0.2, 2)]
    assert [tuple(x for x, _ in line) for line in lines.get_segments()] == [
        pytest.approx((f1 - 0.1, f1 + 0.05)) for f1 in (0.8, 0.5, 0.2)
    ]
    assert figure.axes[0].yaxis_inverted()


def test_of_very_many_classes_the_weakest_are_shown(tmp_path: Path) -> None:
    scores = [_score(f"class {i}", 500 - i, i / 200) for i in range(200)]
    figure = class_chart("category", scores)
    assert _rows(figure) == [f"class {i} ({500 - i})" for i in range(40)]
    assert "40 weakest of 200" in figure.get_suptitle()
    save(figure, tmp_path / "c.png")
    assert _size(tmp_path / "c.png")[1] < 1200


def test_weak_slices_are_red_beside_the_line_of_all_images(tmp_path: Path) -> None:
    slices = [
        SliceScore("brightness", value, "style", 50, accuracy, accuracy - 0.1, 0.95, 0.0, weak)
        for value, accuracy, weak in (("dark", 0.5, True), ("bright", 0.9, False))
    ]
    figure = slice_chart("style", slices, 0.8)
    save(figure, tmp_path / "s.png")
    assert _rows(figure) == ["brightness: dark (50)", "brightness: bright (50)"]
    colors = {
        tuple(dots.get_offsets()[0]): to_hex(dots.get_facecolors()[0])
        for dots in figure.axes[0].collections[1::2]
    }
    assert colors == {(0.5, 0): RED, (0.9, 1): BLUE}
    assert "all images 80.0%" in _texts(figure)


@pytest.mark.parametrize("heads", [("style",), ("category",), ("style", "category")])
def test_bars_tell_their_shares(tmp_path: Path, heads: tuple[str, ...]) -> None:
    shares = dict(zip(heads, (0.925, 0.5), strict=False))
    kept = [Kept("flip", 30, shares), Kept("background", 12, shares)]
    behaviour = behaviour_chart(kept)
    robustness = robustness_chart([Attacked("PGD", 2.0, 7, shares, dict.fromkeys(heads, 1.0))])
    for figure, rows in (
        (behaviour, ["flip (30)", "background (12)"]),
        (robustness, ["as they are", "PGD"]),
    ):
        save(figure, tmp_path / "b.png")
        assert _rows(figure) == rows
        assert len(figure.axes[0].patches) == 2 * len(heads)
        assert "92.5%" in _texts(figure)
    assert "7 images attacked by 2 grey levels" in robustness.get_suptitle()


def test_the_surest_mistakes_come_first(head: HeadAnswers) -> None:
    first, second = worst_mistakes(head, 9)
    assert (first.image, first.truth, first.answer) == ("images/2.jpg", "c", "b")
    assert first.probability == pytest.approx(0.9)
    assert (second.image, second.truth, second.answer) == ("images/1.jpg", "a", "b")
    assert worst_mistakes(head, 1) == [first]


def test_the_surest_right_answers_are_typical(head: HeadAnswers) -> None:
    assert typical(head, 3) == ["images/4.jpg", "images/3.jpg"]
    assert typical(head, 1) == ["images/4.jpg"]


def test_mistakes_of_the_heads_come_by_turns_and_once(head: HeadAnswers, given: Given) -> None:
    other = given([1, 0, 0], [[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    assert misjudged([head, other], 9) == ["images/2.jpg", "images/0.jpg", "images/1.jpg"]
    assert misjudged([head, other], 2) == ["images/2.jpg", "images/0.jpg"]
    assert misjudged([given([0], [[1, 0]])], 2) == []


@pytest.mark.parametrize("shape", [(8, 8, 3), (20, 8, 3), (8, 20, 3)])
def test_mistakes_are_shown_with_their_images(
    head: HeadAnswers, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    pixels = {name: np.full(shape, (9, 200, 30), np.uint8) for name in head.names}
    save(mistake_sheet("category", worst_mistakes(head, 9), pixels), tmp_path / "m.png")
    with PIL.Image.open(tmp_path / "m.png") as picture:
        assert (9, 200, 30) in {color for _, color in picture.convert("RGB").getcolors(2**24)}


def test_the_maps_of_each_head_that_has_them_are_shown_with_the_truth(tmp_path: Path) -> None:
    taxonomy = Taxonomy(styles=(), categories=(Label(name="shoe"), Label(name="lamp")))
    generator = np.random.default_rng(0)
    predictions = Predictions(
        style=np.empty((3, 0), np.float32),
        category=np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]], np.float32),
        embedding=np.zeros((3, 4), np.float32),
        style_map=None,
        category_map=generator.normal(size=(3, 2, 2, 2)).astype(np.float32),
    )
    images = generator.integers(0, 256, (3, 16, 12, 3), dtype=np.uint8)
    labels = {"style": np.full(3, -1), "category": np.array([0, 0, -1])}
    figure = attention_sheet("some", images, predictions, labels, taxonomy)
    assert len(figure.axes) == 6
    captions = [(axes.xaxis.label.get_text(), axes.xaxis.label.get_color()) for axes in figure.axes]
    assert captions[3][0] == "shoe 90%"
    assert captions[4] == ("lamp 80%\ntrue: shoe", RED)
    assert captions[5][0] == "shoe 70%\ntruth unknown"
    assert captions[3][1] == captions[5][1] != RED
    save(figure, tmp_path / "a.png")
    assert _size(tmp_path / "a.png")[0] > 300


def test_examples_are_of_the_images_they_name(tiny_bundle: Path, tmp_path: Path) -> None:
    runtime, generator = Runtime(tiny_bundle), np.random.default_rng(0)
    images = generator.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    names = [f"images/{i}.jpg" for i in range(6)]
    predictions = runtime.predict(images)
    found = {head: predictions.probabilities(head) for head in runtime.info.heads}
    # Right answers at first, wrong ones at the end.
    labels = {
        head: np.where(np.arange(6) < 3, of.argmax(axis=1), of.argmin(axis=1))
        for head, of in found.items()
    }
    asked: list[set[str]] = []

    def load(wanted: set[str]) -> dict[str, np.ndarray]:
        asked.append(wanted)
        return {name: images[names.index(name)] for name in wanted}

    write_examples(tmp_path, Answers(runtime.info.taxonomy, names, labels, found), runtime, load)
    [wanted] = asked
    assert set(names[3:]) < wanted
    assert {path.name for path in tmp_path.iterdir()} == {
        "attention.png",
        "attention_mistakes.png",
        "mistakes_style.png",
        "mistakes_category.png",
    }


@pytest.mark.parametrize(("text", "found"), [("short", "short"), ("sixteen letters!", "sixte…")])
def test_long_names_are_cut(text: str, found: str) -> None:
    assert shorten(text, 6) == found
