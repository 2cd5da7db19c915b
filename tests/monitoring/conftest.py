"""A working directory in which the pipeline ran, as far as `vitrine monitor` looks."""

import shutil
from pathlib import Path

import pytest

from clones import ROOT
from shards import records_of
from vitrine.core.manifest import Catalogue
from vitrine.core.params import ImageParams
from vitrine.inputs.shards import write_split
from vitrine.inputs.summary import Summary
from vitrine.quality.facts import write_facts
from vitrine.quality.measuring import measure_bytes


@pytest.fixture
def place(workplace: Path, catalogue: Catalogue, small: ImageParams, tiny_bundle: Path) -> Path:
    """A working directory with the tiny bundle, and 18 images in each of val and test."""
    shutil.copyfile(ROOT / "params.yaml", workplace / "params.yaml")
    shutil.copytree(tiny_bundle, workplace / "artifacts/export")
    folder, taxonomy = workplace / "artifacts/prepare", catalogue.taxonomy()
    records = records_of(catalogue, small)
    parts = {"train": records[:0], "val": records[::2], "test": records[1::2]}
    splits = {
        split: write_split(folder / split, part, taxonomy, images=len(part), shards=1)
        for split, part in parts.items()
    }
    Summary(image=small, taxonomy=taxonomy, splits=splits).save(folder)
    write_facts(
        workplace / "artifacts/validate/facts.parquet",
        (
            measure_bytes(catalogue.path(row).read_bytes(), small, row.image)
            for row in catalogue.rows()
        ),
    )
    return workplace
