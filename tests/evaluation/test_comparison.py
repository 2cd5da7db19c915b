"""Two bundles on the same test images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from vitrine.bundle.format import BundleInfo, Lineage
from vitrine.bundle.runtime import Predictions, Runtime
from vitrine.core.errors import ImageError
from vitrine.core.params import ImageParams, override
from vitrine.core.taxonomy import Head, Label, Taxonomy
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.comparison import compare
from vitrine.inputs.records import Record
from vitrine.inputs.shards import write_split
from vitrine.inputs.summary import Summary

COLOURS = {"red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250)}
TRUTH = ["red", "green", "blue", "red", "green", "blue"]


def _taxonomy(categories: Sequence[str]) -> Taxonomy:
    return Taxonomy(styles=(), categories=tuple(Label(name=name) for name in categories))


@dataclass
class ColourBundle:
    """Answers the channel that is brightest, by the name of its colour; 0 for colours unknown."""

    image: ImageParams
    categories: tuple[str, ...]

    @property
    def info(self) -> BundleInfo:
        return BundleInfo(
            format_version=1,
            image=self.image,
            taxonomy=_taxonomy(self.categories),
            outputs=("category", "embedding"),
            calibration={"category": 1.0},
            tolerance=0.001,
            files={},
            lineage=Lineage(git_commit="", data_digest="", params_digest="", run_id="", created=""),
        )

    def predict(self, images: NDArray[np.uint8]) -> Predictions:
        assert images.shape[1:3] == (self.image.height, self.image.width)
        channels = dict(zip(COLOURS, np.moveaxis(images.mean(axis=(1, 2)), 1, 0), strict=True))
        none = np.zeros(len(images))
        scores = np.stack([channels.get(name, none) for name in self.categories], axis=1) + 1
        probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
        nothing = np.empty((len(images), 0), np.float32)
        return Predictions(nothing, probabilities, nothing, None, None)


@pytest.fixture
def data(workplace: Path) -> Path:
    """Six pictures of one colour each."""
    folder = workplace / "data/images"
    folder.mkdir(parents=True)
    for number, colour in enumerate(TRUTH):
        PIL.Image.new("RGB", (40, 40), COLOURS[colour]).save(folder / f"{number}.png")
    return workplace / "data"


@pytest.fixture
def prepared(data: Path, small: ImageParams) -> Path:
    """The pictures as the test split."""
    folder = data.parent / "prepare"
    records = [
        Record(
            f"images/{number}.png",
            np.full((32, 32, 3), COLOURS[colour], np.uint8),
            {"style": -1, "category": list(COLOURS).index(colour)},
        )
        for number, colour in enumerate(TRUTH)
    ]
    taxonomy = _taxonomy([*COLOURS])
    test = write_split(folder / "test", records, taxonomy, images=6, shards=1)
    Summary(image=small, taxonomy=taxonomy, splits={"test": test}).save(folder)
    return folder


def _answers(answered: Sequence[str], categories: Sequence[str] = tuple(COLOURS)) -> Answers:
    probabilities = np.array([[float(a == name) for name in categories] for a in answered])
    labels: dict[Head, NDArray[np.int64]] = {
        "category": np.array([categories.index(name) for name in TRUTH])
    }
    names = [f"images/{number}.png" for number in range(len(TRUTH))]
    return Answers(_taxonomy(categories), names, labels, {"category": probabilities})


def _rival(image: ImageParams, *categories: str) -> Runtime:
    return cast("Runtime", ColourBundle(image, categories))


def test_both_are_scored_alike(prepared: Path, data: Path, small: ImageParams) -> None:
    answers = _answers(["red", "green", "blue", "red", "green", "red"])
    found = compare(answers, _rival(small, *COLOURS), prepared, data)
    assert found.theirs == {"category": 1.0}
    assert found.mine["category"] == pytest.approx((0.8 + 1 + 2 / 3) / 3)


def test_another_order_of_the_classes_changes_nothing(
    prepared: Path, data: Path, small: ImageParams
) -> None:
    found = compare(_answers(TRUTH), _rival(small, "blue", "red", "green"), prepared, data)
    assert (found.mine, found.theirs) == ({"category": 1.0}, {"category": 1.0})


def test_a_rival_of_another_size_sees_the_original_images(
    prepared: Path, data: Path, small: ImageParams
) -> None:
    larger = override(small, {"height": 48, "width": 40})
    found = compare(_answers(TRUTH), _rival(larger, *COLOURS), prepared, data)
    assert found.theirs == {"category": 1.0}
    (data / "images/2.png").unlink()
    with pytest.raises(ImageError, match=r"images/2\.png"):
        compare(_answers(TRUTH), _rival(larger, *COLOURS), prepared, data)


def test_a_class_that_the_rival_never_learned_is_left_out(
    prepared: Path, data: Path, small: ImageParams
) -> None:
    found = compare(_answers(TRUTH), _rival(small, "green", "yellow", "red"), prepared, data)
    assert (found.mine, found.theirs) == ({"category": 1.0}, {"category": 1.0})


def test_nothing_in_common(prepared: Path, data: Path, small: ImageParams) -> None:
    found = compare(_answers(TRUTH), _rival(small, "yellow", "red"), prepared, data)
    assert (found.mine, found.theirs) == ({}, {})
