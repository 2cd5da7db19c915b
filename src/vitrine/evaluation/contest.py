"""Two bundles held against each other on the same test images: by head, by slice, and in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.runtime import Runtime
from vitrine.core.taxonomy import HEADS, Head
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.attributes import look_up
from vitrine.evaluation.comparison import Pair, answer_test, pair_up
from vitrine.evaluation.latency import latencies
from vitrine.evaluation.paired import Change, Discordance, discordance, macro_f1_change
from vitrine.evaluation.slices import Slice, read_attributes, slices_of

SIGNIFICANCE = 0.05
"""How often a difference may be seen between equally good models, over all heads or slices."""
RESAMPLES = 1000
SEED = 0

Alternative = Literal["two-sided", "less"]


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of the test images that bundles are compared on.

    Args:
        products: (n,) equal numbers for views of one product.
        slices: Over the same images.
        least: How many labelled images of a slice a head must have to be compared on it.
    """

    products: NDArray[np.int64]
    slices: list[Slice]
    least: int

    @classmethod
    def read(cls, names: Sequence[str], manifest: Path, attributes: Path, least: int) -> "Ground":
        """Read it from data/manifest.csv and from the slices that `evaluate` writes.

        Raises:
            DataError: The manifest is missing or wrong.
            PreparedDataError: One of the two is missing, or of other images.
        """
        slices = slices_of(read_attributes(attributes, names), least)
        return cls(look_up(manifest, names).products, slices, least)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A bundle that is compared.

    Args:
        answers: What it answers for the test images.
        runtime: The bundle, loaded with the threads that its time is measured with.
    """

    answers: Answers
    runtime: Runtime

    @classmethod
    def of(cls, bundle: Path, prepared: Path, data: Path) -> "Contestant":
        """Load a bundle and let it answer the test images; the rest is as in `answer_test`.

        Raises:
            BundleError: It is no sound bundle.
        """
        timed = Runtime(bundle, threads=1)
        return cls(answer_test(Runtime(bundle), prepared, data), timed)


@dataclass(frozen=True, slots=True)
class HeadContest:
    """Two models compared by one head, on the images and classes that both know.

    Args:
        head: Which head.
        classes: How many classes both know.
        accuracy: Of the first and of the second model, 0 to 1.
        counts: Where they differ.
        macro_f1: Of both, with the 95 % interval of the difference.
    """

    head: Head
    classes: int
    accuracy: tuple[float, float]
    counts: Discordance
    macro_f1: Change

    @property
    def changes(self) -> dict[str, Change]:
        """The figures of both by name, with the 95 % interval of the difference."""
        return {
            "accuracy": Change(*self.accuracy, *self.counts.bounds(0.95)),
            "macro_f1": self.macro_f1,
        }


@dataclass(frozen=True, slots=True)
class SliceChange:
    """The accuracies of two models on the images of one slice.

    Args:
        name: Of the slice, such as `brightness: dark`.
        head: Which head.
        accuracy: Of the first and of the second model, 0 to 1.
        counts: Where they differ.
        chance: How probable such a difference is on any of the slices compared, where all of them
            are equal: by McNemar's exact test and the correction of Holm (1979).
    """

    name: str
    head: Head
    accuracy: tuple[float, float]
    counts: Discordance
    chance: float


@dataclass(frozen=True, slots=True)
class Contest:
    """Two bundles compared by everything.

    Args:
        heads: By each head on which they can be compared.
        apart: The heads on which they cannot: only one of them answers it, or they know other
            classes.
        slices: By each slice and head.
        latencies: The median time for one image in milliseconds, of the first and of the second.
    """

    heads: list[HeadContest]
    apart: tuple[Head, ...]
    slices: list[SliceChange]
    latencies: tuple[float, float]

    @property
    def level(self) -> float:
        """Below which chance a head differs: 5 % over all heads (Bonferroni)."""
        return SIGNIFICANCE / max(1, len(self.heads))

    def decided(self) -> dict[Head, bool]:
        """Return the heads whose accuracies differ beyond chance, and whether the first is higher.

        McNemar's exact test, two-sided, at the `level`.
        """
        return {
            one.head: one.counts.difference > 0
            for one in self.heads
            if one.counts.chance() < self.level
            # A model may win more products and yet fewer images.
            and one.counts.difference * (one.counts.products_won - one.counts.products_lost) > 0
        }


def compare(
    first: Contestant, second: Contestant, ground: Ground, alternative: Alternative
) -> Contest:
    """Compare two bundles.

    Args:
        first: The one bundle.
        second: The other one, its answers for the same images in the same order.
        ground: These images.
        alternative: For the slices: `less` if only a first bundle that is worse counts, or
            `two-sided`.
    """
    pairs = pair_up(first.answers, second.answers)
    judged = {*first.answers.judged, *second.answers.judged}
    mine, theirs = latencies([first.runtime, second.runtime])
    return Contest(
        [compare_head(head, pair, ground.products) for head, pair in pairs.items()],
        tuple(head for head in HEADS if head in judged and head not in pairs),
        slice_changes(pairs, ground, alternative),
        (mine, theirs),
    )


def compare_head(head: Head, pair: Pair, products: NDArray[np.int64]) -> HeadContest:
    """Compare two models by one head.

    Args:
        head: Which head.
        pair: Their answers.
        products: Of all test images, equal numbers for views of one product.
    """
    first, second = pair.first == pair.labels, pair.second == pair.labels
    own = products[pair.rows]
    return HeadContest(
        head,
        len(pair.classes),
        (float(first.mean()), float(second.mean())),
        discordance(first, second, own),
        macro_f1_change(pair.labels, (pair.first, pair.second), own, RESAMPLES, SEED),
    )


def slice_changes(
    pairs: Mapping[Head, Pair], ground: Ground, alternative: Alternative
) -> list[SliceChange]:
    """Compare two models on every slice of which a head has enough images.

    Args:
        pairs: Their answers, by head.
        ground: The test images.
        alternative: `less`: only a first model that is worse counts; or `two-sided`.
    """
    found: list[tuple[str, Head, tuple[float, float], Discordance]] = []
    for head, pair in pairs.items():
        first, second = pair.first == pair.labels, pair.second == pair.labels
        own = ground.products[pair.rows]
        for part in ground.slices:
            inside = part.rows[pair.rows]
            if inside.sum() >= ground.least:
                accuracy = float(first[inside].mean()), float(second[inside].mean())
                counts = discordance(first[inside], second[inside], own[inside])
                found.append((part.name, head, accuracy, counts))
    chances = _holm([counts.chance(alternative) for *_, counts in found])
    return [SliceChange(*one, chance) for one, chance in zip(found, chances, strict=True)]


def _holm(chances: Sequence[float]) -> list[float]:
    order = np.argsort(chances, kind="stable")
    corrected = np.sort(chances) * np.arange(len(chances), 0, -1)
    result = np.empty(len(chances))
    result[order] = np.minimum(np.maximum.accumulate(corrected), 1.0)
    return [float(chance) for chance in result]
