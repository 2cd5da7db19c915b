"""Two bundles on the same test images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from vitrine.bundle.format import FORMAT_VERSION, BundleInfo, Lineage
from vitrine.bundle.runtime import Predictions, Runtime
from vitrine.core.errors import ImageError, PreparedDataError
from vitrine.core.params import ImageParams, override
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.comparison import answer_test, pair_up
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
            format_version=FORMAT_VERSION,
            image=self.image,
            taxonomy=_taxonomy(self.categories),
            outputs=("category", "embedding"),
            calibration={"category": 1.0},
            precision=0.95,
            thresholds={"category": 0.5},
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


def _bundle(image: ImageParams, *categories: str) -> Runtime:
    return cast("Runtime", ColourBundle(image, categories))


def test_a_bundle_answers_in_its_own_labels(prepared: Path, data: Path, small: ImageParams) -> None:
    answers = answer_test(_bundle(small, "blue", "green", "red"), prepared, data)
    assert answers.names == [f"images/{number}.png" for number in range(6)]
    assert answers.labels["category"].tolist() == [2, 1, 0, 2, 1, 0]
    assert answers.probabilities["category"].argmax(axis=1).tolist() == [2, 1, 0, 2, 1, 0]
    assert "style" not in answers.probabilities


def test_an_image_of_a_class_that_it_does_not_know_is_unknown(
    prepared: Path, data: Path, small: ImageParams
) -> None:
    answers = answer_test(_bundle(small, "green", "yellow", "red"), prepared, data)
    assert answers.labels["category"].tolist() == [2, 0, -1, 2, 0, -1]


def test_a_bundle_of_another_size_sees_the_original_images(
    prepared: Path, data: Path, small: ImageParams
) -> None:
    larger = override(small, {"height": 48, "width": 40})
    found = answer_test(_bundle(larger, *COLOURS), prepared, data)
    assert found.probabilities["category"].argmax(axis=1).tolist() == [0, 1, 2, 0, 1, 2]
    (data / "images/2.png").unlink()
    with pytest.raises(ImageError, match=r"images/2\.png"):
        answer_test(_bundle(larger, *COLOURS), prepared, data)


def test_how_large_a_file_may_be_decides_no_pixel(
    prepared: Path, data: Path, small: ImageParams
) -> None:
    strict = {"max_bytes": 1, "max_pixels": 1}
    larger = override(small, {"height": 48, "width": 40, **strict})
    found = answer_test(_bundle(larger, *COLOURS), prepared, data)
    assert found.probabilities["category"].argmax(axis=1).tolist() == [0, 1, 2, 0, 1, 2]
    for picture in (data / "images").iterdir():
        picture.unlink()
    # Nothing but the shards is read.
    answer_test(_bundle(override(small, strict), *COLOURS), prepared, data)


def test_a_test_split_without_images(prepared: Path, data: Path, small: ImageParams) -> None:
    taxonomy = _taxonomy([*COLOURS])
    empty = write_split(prepared / "test", [], taxonomy, images=0, shards=1)
    Summary(image=small, taxonomy=taxonomy, splits={"test": empty}).save(prepared)
    with pytest.raises(PreparedDataError, match=r"the test split is empty.*prepare\.test_share"):
        answer_test(_bundle(small, *COLOURS), prepared, data)


def test_both_choose_among_the_classes_that_both_know() -> None:
    taxonomies = _taxonomy(["red", "green", "blue"]), _taxonomy(["grey", "blue", "red"])
    names = [f"images/{number}.png" for number in range(4)]
    first = Answers(
        taxonomies[0],
        names,
        {"category": np.array([0, 2, 1, -1])},
        # The green of the first image is no choice: red comes before blue.
        {"category": np.array([[0.3, 0.5, 0.2], [0.6, 0, 0.4], [0, 1, 0], [1, 0, 0]])},
    )
    second = Answers(
        taxonomies[1],
        names,
        {"category": np.array([2, 1, -1, -1])},
        {"category": np.array([[0.8, 0.2, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]])},
    )
    pair = pair_up(first, second)["category"]
    assert pair.classes == ("red", "blue")
    assert pair.rows.tolist() == [0, 1]
    assert pair.labels.tolist() == [0, 1]
    assert pair.first.tolist() == [0, 0]
    assert pair.second.tolist() == [1, 1]


@pytest.mark.parametrize("others", [["yellow", "red"], ["yellow", "grey"]])
def test_with_fewer_than_two_common_classes_nothing_is_compared(
    prepared: Path, data: Path, small: ImageParams, others: list[str]
) -> None:
    mine = answer_test(_bundle(small, *COLOURS), prepared, data)
    theirs = answer_test(_bundle(small, *others), prepared, data)
    assert pair_up(mine, theirs) == {}
