"""The pictures: drawn for few and many classes, and of the right images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vitrine.bundle.runtime import Predictions
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.evaluation.answers import HeadAnswers
from vitrine.evaluation.attention import attention_sheet, evidence, typical
from vitrine.evaluation.charts import confusion, reliability_diagram
from vitrine.evaluation.figures import save, shorten
from vitrine.evaluation.gallery import mistake_sheet, worst_mistakes
from vitrine.evaluation.reliability import reliability

Given = Callable[..., HeadAnswers]


@pytest.fixture
def head(given: Given) -> HeadAnswers:
    """Answers a (right), b (wrong, 0.6), b (wrong, 0.9), b (right), a (right, surer)."""
    rows = [[0.7, 0.3, 0], [0.4, 0.6, 0], [0.1, 0.9, 0], [0.2, 0.8, 0], [0.8, 0.2, 0]]
    return given([0, 0, 2, 1, 0], rows)


def _size(path: Path) -> tuple[int, int]:
    with PIL.Image.open(path) as picture:
        return picture.size


@pytest.mark.parametrize("classes", [2, 25, 120])
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


def test_the_reliability_of_every_head_is_drawn(
    drawn: Callable[..., HeadAnswers], tmp_path: Path
) -> None:
    bins = reliability(drawn(200, "abc"), 10)
    save(reliability_diagram({"style": bins}), tmp_path / "one.png")
    save(reliability_diagram({"style": bins, "category": bins}), tmp_path / "two.png")
    assert _size(tmp_path / "two.png")[0] == pytest.approx(
        2 * _size(tmp_path / "one.png")[0], abs=9
    )


def test_the_surest_mistakes_come_first(head: HeadAnswers) -> None:
    first, second = worst_mistakes(head, 9)
    assert (first.image, first.truth, first.answer) == ("images/2.jpg", "c", "b")
    assert first.probability == pytest.approx(0.9)
    assert (second.image, second.truth, second.answer) == ("images/1.jpg", "a", "b")
    assert worst_mistakes(head, 1) == [first]


def test_the_surest_right_answers_are_typical(head: HeadAnswers) -> None:
    assert typical(head, 3) == ["images/4.jpg", "images/3.jpg"]
    assert typical(head, 1) == ["images/4.jpg"]


@pytest.mark.parametrize("shape", [(8, 8, 3), (20, 8, 3), (8, 20, 3)])
def test_mistakes_are_shown_with_their_images(
    head: HeadAnswers, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    pixels = {name: np.full(shape, (9, 200, 30), np.uint8) for name in head.names}
    save(mistake_sheet("category", worst_mistakes(head, 9), pixels), tmp_path / "m.png")
    with PIL.Image.open(tmp_path / "m.png") as picture:
        assert (9, 200, 30) in {color for _, color in picture.convert("RGB").getcolors(2**24)}


def test_evidence_is_what_speaks_for_the_answer_more_than_for_others() -> None:
    maps = np.zeros((2, 2, 3), np.float32)
    maps[0, 0] = 5
    maps[1, 1] = (0, 4, 0)
    np.testing.assert_allclose(evidence(maps, 1), [[0, 0], [0, 1]])
    np.testing.assert_allclose(evidence(maps, 0), 0)


def test_the_maps_of_each_head_that_has_them_are_shown(tmp_path: Path) -> None:
    taxonomy = Taxonomy(styles=(), categories=(Label(name="shoe"), Label(name="lamp")))
    generator = np.random.default_rng(0)
    predictions = Predictions(
        style=np.empty((3, 0), np.float32),
        category=generator.dirichlet((1, 1), 3).astype(np.float32),
        embedding=np.zeros((3, 4), np.float32),
        style_map=None,
        category_map=generator.normal(size=(3, 2, 2, 2)).astype(np.float32),
    )
    images = generator.integers(0, 256, (3, 16, 12, 3), dtype=np.uint8)
    figure = attention_sheet(images, predictions, taxonomy)
    assert len(figure.axes) == 6
    save(figure, tmp_path / "a.png")
    assert _size(tmp_path / "a.png")[0] > 300


@pytest.mark.parametrize(("text", "found"), [("short", "short"), ("sixteen letters!", "sixte…")])
def test_long_names_are_cut(text: str, found: str) -> None:
    assert shorten(text, 6) == found
