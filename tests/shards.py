"""Prepared shards: of tiny images that a network can learn, and of a drawn catalogue."""

from pathlib import Path

import numpy as np

from vitrine import imaging
from vitrine.core.manifest import Catalogue
from vitrine.core.params import ImageParams
from vitrine.core.taxonomy import HEADS, UNKNOWN, Label, Taxonomy
from vitrine.inputs.records import Record
from vitrine.inputs.shards import write_split
from vitrine.inputs.summary import Summary

TAXONOMY = Taxonomy(
    styles=(Label(name="dark"), Label(name="bright")),
    categories=(Label(name="red"), Label(name="green"), Label(name="blue")),
)


def write_shards(
    folder: Path,
    image: ImageParams,
    *,
    train: int = 24,
    val: int = 12,
    taxonomy: Taxonomy = TAXONOMY,
    seed: int = 0,
) -> Path:
    """Write train, val and test (6 images); the style is in the brightness, the category in a hue.

    Every fifth image of train lacks its style, every seventh its category.
    """
    random = np.random.default_rng(seed)
    splits = {}
    for split, count in (("train", train), ("val", val), ("test", 6)):
        records = [_record(random, image, f"{split}-{i}", i, taxonomy) for i in range(count)]
        if split == "train":
            for i, record in enumerate(records):
                for head, every in (("style", 5), ("category", 7)):
                    if i % every == every - 1:
                        record.labels[head] = UNKNOWN
        splits[split] = write_split(
            folder / split, records, taxonomy, images=count, shards=2 if split == "train" else 1
        )
    Summary(image=image, taxonomy=taxonomy, splits=splits).save(folder)
    return folder


def records_of(catalogue: Catalogue, image: ImageParams) -> list[Record]:
    """Return the images of a catalogue as `prepare` would write them."""
    taxonomy = catalogue.taxonomy()
    return [
        Record(
            row.image,
            imaging.load(catalogue.path(row), image),
            {head: taxonomy.index(head, getattr(row, head)) for head in HEADS},
        )
        for row in catalogue.rows()
    ]


def _record(
    random: np.random.Generator, image: ImageParams, name: str, index: int, taxonomy: Taxonomy
) -> Record:
    labels = {
        head: index % len(taxonomy.names(head)) if taxonomy.names(head) else UNKNOWN
        for head in HEADS
    }
    pixels = random.integers(0, 60, (image.height, image.width, 3))
    pixels += 120 * max(labels["style"], 0)
    pixels[..., labels["category"] % 3] += 70
    return Record(name, pixels.astype(np.uint8), labels)
