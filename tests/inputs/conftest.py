from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vitrine.core.params import Params
from vitrine.core.taxonomy import Taxonomy
from vitrine.inputs.records import Record
from vitrine.inputs.shards import write_split
from vitrine.inputs.summary import Summary

SIZES = {"train": 50, "val": 7, "test": 5}


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return Taxonomy.model_validate(
        {
            "styles": [{"name": "plain"}, {"name": "vintage"}],
            "categories": [{"name": "shoe"}, {"name": "lamp"}, {"name": "bag"}],
        }
    )


def _records(split: str, count: int) -> Iterator[Record]:
    """Images whose pixels all say which image it is; labels of every kind, unknown ones included."""
    for i in range(count):
        pixels = np.full((6, 4, 3), i, np.uint8)
        pixels[0, 0] = (255, 0, 7)
        yield Record(
            f"images/{split} {i} 鞋.png", pixels, {"style": i % 3 - 1, "category": i % 4 - 1}
        )


@pytest.fixture(scope="session")
def written() -> dict[str, list[Record]]:
    """What the folder `prepared` holds, by split."""
    return {split: list(_records(split, count)) for split, count in SIZES.items()}


@pytest.fixture
def prepared(
    tmp_path: Path, params: Params, taxonomy: Taxonomy, written: dict[str, list[Record]]
) -> Path:
    """A folder as prepare leaves it: 50, 7 and 5 images of 6 x 4 pixels in 4, 1 and 1 shards."""
    splits = {
        split: write_split(
            tmp_path / split,
            records,
            taxonomy,
            images=len(records),
            shards=4 if split == "train" else 1,
        )
        for split, records in written.items()
    }
    image = params.image.model_copy(update={"height": 6, "width": 4})
    Summary(image=image, taxonomy=taxonomy, splits=splits).save(tmp_path)
    return tmp_path
