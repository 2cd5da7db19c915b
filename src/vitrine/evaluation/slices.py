"""Parts of the test images that have something in common, such as a dark picture: the slices.

An attribute gives every image at most one value. The images of one value are a slice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, fisher_exact

from vitrine.core.errors import PreparedDataError
from vitrine.core.files import atomic_file
from vitrine.core.taxonomy import UNKNOWN, Head
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.clusters import design_effect, wilson

SLICES_FILE = "slices.parquet"
FALSE_NAMES = 0.05
"""Of the slices called weak, which share may be so by chance."""

Attributes = Mapping[str, Sequence[str | None]]
"""By attribute, the value of each image; None where it is unknown."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The images of one value of an attribute.

    Args:
        attribute: Such as `brightness`.
        value: Such as `dark`.
        rows: Which of the answers' images belong to it, (n,).
    """

    attribute: str
    value: str
    rows: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """Attribute and value: `brightness: dark`."""
        return f"{self.attribute}: {self.value}"


@dataclass(frozen=True, slots=True)
class SliceScore:
    """How well one head answers the images of a slice.

    Args:
        attribute: As in `Slice`.
        value: As in `Slice`.
        head: Which head.
        images: How many images of the slice have a label of the head.
        accuracy: The share of them that is answered right, 0 to 1.
        low: Where the 95 % interval of the accuracy begins.
        high: Where it ends.
        difference: The accuracy less that of all other images, -1 to 1.
        weak: Whether the accuracy is lower than elsewhere beyond chance.
    """

    attribute: str
    value: str
    head: Head
    images: int
    accuracy: float
    low: float
    high: float
    difference: float
    weak: bool

    @property
    def name(self) -> str:
        """Attribute and value: `brightness: dark`."""
        return f"{self.attribute}: {self.value}"


def write_attributes(path: Path, names: Sequence[str], attributes: Attributes) -> None:
    """Write the attributes of images as Parquet: `image`, then a column of texts an attribute."""
    columns = {"image": names, **attributes}
    arrays = [pa.array(values, pa.string()) for values in columns.values()]
    with atomic_file(path) as temporary:
        pq.write_table(pa.table(arrays, names=list(columns)), temporary)


def read_attributes(path: Path, names: Sequence[str]) -> dict[str, list[str | None]]:
    """Read the attributes of images, which must be these in this order.

    Raises:
        PreparedDataError: The file is missing, is no Parquet, or is of other images.
    """
    try:
        columns: dict[str, list[str | None]] = pq.read_table(path).to_pydict()
    except FileNotFoundError:
        raise PreparedDataError(f"{path} is missing: make it with `dvc repro evaluate`") from None
    except pa.ArrowInvalid as error:
        raise PreparedDataError(
            f"{path} is damaged ({error}): make it anew with `dvc repro --force evaluate`"
        ) from None
    if columns.pop("image", None) != list(names):
        raise PreparedDataError(
            f"{path} is of other images than the test split: make it anew with `dvc repro evaluate`"
        )
    return columns


def slices_of(attributes: Attributes, least: int) -> list[Slice]:
    """Return the slices of at least `least` images, by attribute, the largest first.

    An attribute with the same value wherever it is known separates nothing and gives no slice.
    """
    found = []
    for attribute, values in attributes.items():
        counts = Counter(value for value in values if value is not None)
        if len(counts) > 1:
            column = np.array(values, object)
            found += [
                Slice(attribute, value, column == value)
                for value, images in counts.most_common()
                if images >= least
            ]
    return found


def score_slices(
    answers: Answers, head: Head, slices: Iterable[Slice], products: NDArray[np.int64], least: int
) -> list[SliceScore]:
    """Score one head on every slice of which it knows at least `least` labels.

    The accuracy of a slice is compared with that of all other images by the exact test of Fisher
    (1934), one-sided, with the counts of each side divided by its design effect (Rao and Scott,
    1981). Of the slices that are called weak at most 5 % are so by chance (Benjamini and Hochberg,
    1995).

    Args:
        answers: All answers.
        head: A head that can be judged.
        slices: Over the same images.
        products: (n,) numbers from 0, equal for views of one product.
        least: At least 1.
    """
    known = answers.labels[head] != UNKNOWN
    right = (answers.probabilities[head].argmax(axis=1) == answers.labels[head])[known]
    grouped = products[known]
    judged = [
        (part, inside)
        for part in slices
        if (inside := part.rows[known]).sum() >= least and not inside.all()
    ]
    chances = [_chance(right, inside, grouped) for _, inside in judged]
    weak = false_discovery_control(chances) < FALSE_NAMES if chances else []
    return [
        _score(part, head, right, inside, grouped, bool(flag))
        for (part, inside), flag in zip(judged, weak, strict=True)
    ]


def worst_slices(scores: Iterable[SliceScore]) -> dict[Head, SliceScore]:
    """Return, by head, the least accurate of its weak slices; where none is weak, of all slices.

    A head without slices has none.
    """
    worst: dict[Head, SliceScore] = {}
    for score in sorted(scores, key=lambda score: (not score.weak, score.accuracy)):
        worst.setdefault(score.head, score)
    return worst


def _score(
    part: Slice,
    head: Head,
    right: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    products: NDArray[np.int64],
    weak: bool,
) -> SliceScore:
    low, high = wilson(right[inside], products[inside])
    accuracy = float(right[inside].mean())
    return SliceScore(
        attribute=part.attribute,
        value=part.value,
        head=head,
        images=int(inside.sum()),
        accuracy=accuracy,
        low=low,
        high=high,
        difference=accuracy - float(right[~inside].mean()),
        weak=weak,
    )


def _chance(
    right: NDArray[np.bool_], inside: NDArray[np.bool_], products: NDArray[np.int64]
) -> float:
    """Return how likely so low an accuracy inside is where it is the same outside, 0 to 1."""
    overall = right.mean()
    counts = []
    for side in (inside, ~inside):
        effect = design_effect(right[side] - overall, products[side])
        hits = int(right[side].sum())
        counts.append((round(hits / effect), round((int(side.sum()) - hits) / effect)))
    return float(fisher_exact(counts, alternative="less").pvalue)
