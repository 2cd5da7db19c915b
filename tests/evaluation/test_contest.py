"""Two bundles held against each other, head by head and slice by slice."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import PreparedDataError
from vitrine.core.manifest import ManifestWriter, Row
from vitrine.core.taxonomy import Head
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.comparison import Pair
from vitrine.evaluation.contest import (
    Contest,
    Contestant,
    Ground,
    compare,
    compare_head,
    slice_changes,
)
from vitrine.evaluation.slices import Slice, write_attributes


def _pair(first: np.ndarray, second: np.ndarray) -> Pair:
    """A pair of two classes from whether each image is answered rightly."""
    labels = np.arange(len(first)) % 2
    answers = (np.where(right, labels, 1 - labels) for right in (first, second))
    return Pair(("shoe", "lamp"), np.arange(len(first)), labels, *answers)


def _rights(images: int, wins: int, losses: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether two models are right: first the wins, then the losses, then both."""
    place = np.arange(images)
    won, lost = place < wins, (place >= wins) & (place < wins + losses)
    return ~lost, ~won


def _contest(*counts: tuple[int, int]) -> Contest:
    heads = [
        compare_head(head, _pair(*_rights(200, *one)), np.arange(200))
        for head, one in zip(("style", "category"), counts, strict=False)
    ]
    return Contest(heads, (), [], (1.0, 1.0))


def test_a_head_is_compared_by_accuracy_and_f1() -> None:
    (one,) = _contest((6, 2)).heads
    assert one.accuracy == (0.99, 0.97)
    assert (one.counts.wins, one.counts.losses, one.classes) == (6, 2, 2)
    accuracy, f1 = one.changes["accuracy"], one.changes["macro_f1"]
    assert accuracy.difference == pytest.approx(0.02)
    assert accuracy.low < 0 < accuracy.high
    assert f1.first > f1.second


@pytest.mark.parametrize(
    ("style", "category", "wanted"),
    [
        ((9, 0), (0, 9), {"style": True, "category": False}),
        ((5, 5), (3, 4), {}),
        # 0.0312 alone is below 5 %, but not below 5 % shared by two heads.
        ((6, 0), (1, 1), {}),
        ((8, 0), (1, 1), {"style": True}),
    ],
)
def test_a_head_is_decided_beyond_chance(
    style: tuple[int, int], category: tuple[int, int], wanted: dict[str, bool]
) -> None:
    assert _contest(style, category).decided() == wanted


def test_many_views_of_one_product_decide_nothing() -> None:
    first, second = _rights(200, 30, 0)
    products = np.where(np.arange(200) < 30, 0, np.arange(200))
    contest = Contest([compare_head("style", _pair(first, second), products)], (), [], (1.0, 1.0))
    assert contest.decided() == {}


def _slice(value: str, images: int, start: int, stop: int) -> Slice:
    place = np.arange(images)
    return Slice("brightness", value, (place >= start) & (place < stop))


def test_chances_of_slices_are_corrected_for_their_number() -> None:
    first, second = _rights(100, 0, 20)
    slices = [
        _slice("dark", 100, 0, 7),
        _slice("medium", 100, 7, 20),
        _slice("bright", 100, 20, 99),
    ]
    ground = Ground(np.arange(100), slices, least=5)
    dark, medium, bright = slice_changes({"style": _pair(first, second)}, ground, "less")
    assert (dark.name, dark.head, dark.accuracy) == ("brightness: dark", "style", (0.0, 1.0))
    # Holm: the smallest of three counts three times, the next one twice.
    assert medium.chance == pytest.approx(3 * 0.5**13)
    assert dark.chance == pytest.approx(2 * 0.5**7)
    assert bright.chance == 1.0


def test_one_sided_a_slice_that_has_gained_is_no_finding() -> None:
    first, second = _rights(60, 20, 0)
    ground = Ground(np.arange(60), [_slice("dark", 60, 0, 40)], least=5)
    pairs = {"style": _pair(first, second)}
    (less,) = slice_changes(pairs, ground, "less")
    (either,) = slice_changes(pairs, ground, "two-sided")
    assert less.chance == 1.0
    assert either.chance == pytest.approx(binomtest(20, 20).pvalue)


def test_a_slice_with_too_few_labels_is_left_out() -> None:
    labels = np.array([0, 1, 0, 1])
    pair = Pair(("shoe", "lamp"), np.array([0, 1, 2, 9]), labels, labels, labels)
    ground = Ground(np.arange(10), [_slice("dark", 10, 1, 10)], least=4)
    assert slice_changes({"style": pair}, ground, "less") == []


def test_the_ground_is_read_from_manifest_and_slices(tmp_path: Path) -> None:
    names = [f"images/{number}.jpg" for number in range(4)]
    with ManifestWriter(tmp_path / "manifest.csv") as writer:
        for name, product in zip(names, ("a", "a", "", ""), strict=True):
            writer.write(Row(name, product=product))
    attributes = tmp_path / "slices.parquet"
    with pytest.raises(PreparedDataError, match=r"slices\.parquet.*`dvc repro evaluate`"):
        Ground.read(names, tmp_path / "manifest.csv", attributes, 2)
    write_attributes(attributes, names, {"brightness": ["dark", "dark", "bright", None]})
    ground = Ground.read(names, tmp_path / "manifest.csv", attributes, 2)
    first, second, third, fourth = ground.products.tolist()
    assert first == second
    assert len({first, third, fourth}) == 3
    assert [part.name for part in ground.slices] == ["brightness: dark"]


def test_heads_that_one_of_the_two_lacks_are_told(tiny_bundle: Path) -> None:
    runtime = Runtime(tiny_bundle, threads=1)
    taxonomy = runtime.info.taxonomy
    names = ["images/1.jpg", "images/2.jpg"]

    def contestant(*heads: Head) -> Contestant:
        labels = {head: np.array([0, 1]) for head in heads}
        probabilities = {head: np.eye(len(taxonomy.names(head)))[:2] for head in heads}
        return Contestant(Answers(taxonomy, names, labels, probabilities), runtime)

    ground = Ground(np.arange(2), [], least=1)
    for first, second, apart in (
        (("style", "category"), ("category",), ("style",)),
        (("category",), ("style", "category"), ("style",)),
        (("style",), ("category",), ("style", "category")),
    ):
        contest = compare(contestant(*first), contestant(*second), ground, "less")
        assert contest.apart == apart
        assert {one.head for one in contest.heads} == {"style", "category"} - {*apart}
