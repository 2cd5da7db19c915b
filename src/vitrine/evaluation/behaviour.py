"""Whether answers stay when a picture is changed in ways that do not matter.

Metamorphic tests, as the invariance tests of CheckList (Ribeiro et al., 2020): they need no labels,
so they also find what a test split of clean pictures cannot show.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.runtime import Runtime
from vitrine.core.parallel import map_in_order
from vitrine.core.params import BehaviourParams, EvaluateParams, ImageParams
from vitrine.core.progress import track
from vitrine.core.taxonomy import Head
from vitrine.evaluation.changes import changed

CHANGES = ("flip", "shift", "crop", "jpeg", "darker", "brighter", "background", "watermark")
"""All changes, in the order of the report."""

Versions = tuple[NDArray[np.uint8], dict[str, NDArray[np.uint8]]]
"""An image as the network sees it, and the same under each change that can be made of it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many answers stay under one harmless change.

    Args:
        change: One of `CHANGES`.
        images: How many images were changed, at least one.
        shares: By head, the share of them that is answered as the unchanged image is, 0 to 1.
    """

    change: str
    images: int
    shares: dict[Head, float]


def drawn(names: Sequence[str], count: int, seed: int) -> list[str]:
    """Return at most `count` of the names, drawn at random without repetition, in their order."""
    random = np.random.default_rng(seed)
    chosen = random.choice(len(names), min(count, len(names)), replace=False)
    return [names[index] for index in np.sort(chosen)]


def answers_kept(
    runtime: Runtime, data: Path, names: Sequence[str], section: EvaluateParams
) -> list[Kept]:
    """Change some images in harmless ways and compare the answers with those before.

    The original files are changed at their full size, so that a change goes the way of a request.
    A change that can be made of no image is left out; the rest are in the order of `CHANGES`.

    Args:
        runtime: The bundle.
        data: The folder data/.
        names: The images to draw `behaviour.images` from, as paths under data/.
        section: How many images, the strengths of the changes, the seed.

    Raises:
        ImageError: An image is missing or damaged.
    """
    image, strengths = runtime.info.image, section.behaviour
    chosen = drawn(names, strengths.images, section.seed)
    prepare = partial(_versions, data=data, image=image, section=strengths)
    images = map_in_order(prepare, chosen, workers=0, chunk=1)
    counts: Counter[str] = Counter()
    kept: Counter[tuple[str, Head]] = Counter()
    for batch in _batches(track(images, "Changing images", len(chosen)), section.batch_size):
        before = _answers(runtime, [original for original, _ in batch])
        for change in CHANGES:
            rows = [row for row, (_, versions) in enumerate(batch) if change in versions]
            if not rows:
                continue
            counts[change] += len(rows)
            after = _answers(runtime, [batch[row][1][change] for row in rows])
            for head, answers in after.items():
                kept[change, head] += int((answers == before[head][rows]).sum())
    heads = runtime.info.heads
    return [
        Kept(change, counts[change], {head: kept[change, head] / counts[change] for head in heads})
        for change in CHANGES
        if counts[change]
    ]


def _versions(name: str, data: Path, image: ImageParams, section: BehaviourParams) -> Versions:
    source = imaging.read(data / name, image, name)
    pixels = imaging.decode(source, image, name)
    return imaging.load(source, image, name), changed(pixels, section, image)


def _batches(items: Iterable[Versions], size: int) -> Iterator[list[Versions]]:
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch


def _answers(runtime: Runtime, images: Sequence[NDArray[np.uint8]]) -> dict[Head, NDArray[np.intp]]:
    predictions = runtime.predict(np.stack(images))
    return {head: predictions.probabilities(head).argmax(axis=1) for head in runtime.info.heads}
