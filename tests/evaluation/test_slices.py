"""Parts of the test images, and how well they are answered."""

from pathlib import Path

import numpy as np
import pytest

from vitrine.core.errors import PreparedDataError
from vitrine.core.taxonomy import Head, Label, Taxonomy
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.slices import (
    Slice,
    SliceScore,
    read_attributes,
    score_slices,
    slices_of,
    worst_slices,
    write_attributes,
)

NAMES = ["images/1.jpg", "images/2.jpg", "images/3.jpg", "images/4.jpg"]
ATTRIBUTES = {"brightness": ["dark", "bright", "dark", None], "format": ["JPEG"] * 4}


def test_attributes_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_attributes(tmp_path / "slices.parquet", NAMES, ATTRIBUTES)
    assert read_attributes(tmp_path / "slices.parquet", NAMES) == ATTRIBUTES


@pytest.mark.parametrize("names", [NAMES[:3], NAMES[::-1], [*NAMES[:3], "images/5.jpg"]])
def test_attributes_of_other_images_are_refused(tmp_path: Path, names: list[str]) -> None:
    write_attributes(tmp_path / "slices.parquet", NAMES, ATTRIBUTES)
    with pytest.raises(PreparedDataError, match=r"slices\.parquet is of other images.*dvc repro"):
        read_attributes(tmp_path / "slices.parquet", names)


def test_missing_and_damaged_attributes_are_named(tmp_path: Path) -> None:
    path = tmp_path / "slices.parquet"
    with pytest.raises(PreparedDataError, match=r"slices\.parquet is missing.*dvc repro evaluate"):
        read_attributes(path, NAMES)
    path.write_bytes(b"nothing")
    with pytest.raises(PreparedDataError, match=r"slices\.parquet is damaged"):
        read_attributes(path, NAMES)


def test_a_value_is_a_slice_where_enough_images_have_it() -> None:
    found = slices_of(ATTRIBUTES, least=1)
    assert [part.name for part in found] == ["brightness: dark", "brightness: bright"]
    assert [part.rows.tolist() for part in found] == [
        [True, False, True, False],
        [False, True, False, False],
    ]
    assert [part.value for part in slices_of(ATTRIBUTES, least=2)] == ["dark"]


def test_an_attribute_with_one_value_is_no_slicing() -> None:
    assert slices_of({"format": ["JPEG", "JPEG", None]}, least=1) == []


def _answers(right: list[bool], known: int | None = None) -> Answers:
    """Answers of one head: class a is always true, and answered where `right`."""
    labels = np.zeros(len(right), np.int64)
    labels[known:] = -1 if known is not None else 0
    probabilities = np.where(np.array(right)[:, None], [0.9, 0.1], [0.2, 0.8])
    taxonomy = Taxonomy(styles=(), categories=(Label(name="a"), Label(name="b")))
    names = [f"images/{i}.jpg" for i in range(len(right))]
    return Answers(taxonomy, names, {"category": labels}, {"category": probabilities})


def _part(value: str, rows: np.ndarray) -> Slice:
    return Slice("brightness", value, rows)


def test_a_slice_is_held_against_all_other_images() -> None:
    rows = np.arange(100) < 40
    right = [i < 10 or i >= 50 for i in range(100)]
    slices = [_part("dark", rows), _part("bright", ~rows)]
    dark, bright = score_slices(_answers(right), "category", slices, np.arange(100), 20)
    assert (dark.name, dark.head, dark.images, dark.accuracy) == (
        "brightness: dark",
        "category",
        40,
        0.25,
    )
    assert dark.difference == pytest.approx(10 / 40 - 50 / 60)
    assert bright.difference == pytest.approx(-dark.difference)
    # Wilson's interval of 10 in 40.
    assert (dark.low, dark.high) == pytest.approx((0.1419, 0.4019), abs=1e-4)
    assert (dark.weak, bright.weak) == (True, False)
    assert worst_slices([bright, dark]) == {"category": dark}


def test_only_images_with_a_label_of_the_head_count() -> None:
    rows = np.arange(60) % 2 == 0
    [score] = score_slices(
        _answers([True] * 60, 50), "category", [_part("x", rows)], np.arange(60), 20
    )
    assert score.images == 25
    assert (
        score_slices(_answers([True] * 60, 50), "category", [_part("x", rows)], np.arange(60), 26)
        == []
    )


def test_a_slice_without_anything_beside_it_is_not_scored() -> None:
    everything = _part("x", np.ones(50, bool))
    assert score_slices(_answers([True] * 50), "category", [everything], np.arange(50), 20) == []


def test_where_every_answer_is_right_nothing_is_weak() -> None:
    [score] = score_slices(
        _answers([True] * 60), "category", [_part("x", np.arange(60) < 30)], np.arange(60), 20
    )
    assert not score.weak
    assert score.high == pytest.approx(1)
    assert score.low == pytest.approx(1 / (1 + 1.96**2 / 30), abs=1e-4)
    assert worst_slices([score]) == {"category": score}


def test_the_worst_slice_is_a_weak_one_where_there_is_any() -> None:
    def scored(value: str, head: Head, accuracy: float, weak: bool) -> SliceScore:
        return SliceScore("size", value, head, 30, accuracy, 0.0, 1.0, -0.1, weak)

    weak = scored("a", "style", 0.6, True), scored("b", "style", 0.5, True)
    chance = scored("c", "style", 0.4, False), scored("d", "category", 0.9, False)
    worst = worst_slices([*weak, *chance, scored("e", "category", 0.8, False)])
    assert {head: score.value for head, score in worst.items()} == {"style": "b", "category": "e"}


def test_many_views_of_few_products_prove_nothing() -> None:
    rows = np.arange(200) < 40
    right = [not 0 <= i < 20 and i % 4 > 0 for i in range(200)]
    part = [_part("dark", rows)]
    [alone] = score_slices(_answers(right), "category", part, np.arange(200), 20)
    [views] = score_slices(_answers(right), "category", part, np.arange(200) // 20, 20)
    assert (alone.weak, views.weak) == (True, False)
    assert views.low < alone.low < alone.high < views.high


@pytest.mark.parametrize("views", [1, 4])
@pytest.mark.parametrize("accuracy", [0.8, 0.97])
def test_among_many_slices_chance_names_few(accuracy: float, views: int) -> None:
    generator = np.random.default_rng(1)
    named = 0
    for _ in range(40):
        right = np.repeat(generator.random(1200 // views) < accuracy, views).tolist()
        parts = np.repeat(generator.integers(0, 40, 1200 // views), views)
        slices = [_part(str(i), parts == i) for i in range(40)]
        products = np.arange(1200) // views
        scores = score_slices(_answers(right), "category", slices, products, 20)
        named += any(score.weak for score in scores)
    assert named <= 6
