"""What the stages after prepare begin with."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shards import records_of
from vitrine.core.manifest import Catalogue
from vitrine.core.params import ImageParams
from vitrine.inputs.shards import write_split
from vitrine.inputs.summary import Summary


@pytest.fixture(scope="session")
def lay_out(catalogue: Catalogue, small: ImageParams) -> Callable[[Path], None]:
    """Fill a folder as the stage `prepare` leaves it: data/ and 12 images in each split's shards."""

    def fill(root: Path) -> None:
        shutil.copytree(catalogue.root, root / "data")
        (root / "data.dvc").write_text("outs:\n- md5: 0123.dir\n  path: data\n")
        folder, taxonomy = root / "artifacts/prepare", catalogue.taxonomy()
        records = records_of(catalogue, small)
        splits = {
            split: write_split(
                folder / split, records[place::3], taxonomy, images=len(records[place::3]), shards=2
            )
            for place, split in enumerate(("train", "val", "test"))
        }
        Summary(image=small, taxonomy=taxonomy, splits=splits).save(folder)

    return fill


@pytest.fixture
def demo_shards(workplace: Path, lay_out: Callable[[Path], None]) -> Path:
    """A working directory as the stage `prepare` leaves it."""
    lay_out(workplace)
    return workplace
