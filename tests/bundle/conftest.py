"""What a bundle is made from."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from vitrine import imaging
from vitrine.bundle.export import Contents
from vitrine.bundle.format import Lineage
from vitrine.core.manifest import Catalogue
from vitrine.core.params import ImageParams
from vitrine.core.taxonomy import HEADS
from vitrine.inputs.shards import Batch


@pytest.fixture(scope="session")
def contents(catalogue: Catalogue, small: ImageParams) -> Contents:
    sources = [catalogue.path(row).read_bytes() for row in catalogue.rows()]
    lineage = Lineage(git_commit="a", data_digest="b", params_digest="c", run_id="d", created="e")
    return Contents(small, catalogue.taxonomy(), lineage, sources[:2], 1e-3, 0.9)


@pytest.fixture(scope="session")
def validation(catalogue: Catalogue, small: ImageParams) -> list[Batch]:
    """Two batches of unequal size, with unknown labels."""
    rows, taxonomy = list(catalogue.rows()), catalogue.taxonomy()
    pixels = np.stack([imaging.load(catalogue.path(row), small) for row in rows])
    labels = {h: np.array([taxonomy.index(h, getattr(row, h)) for row in rows]) for h in HEADS}
    return [
        Batch(pixels[part], {head: labels[head][part] for head in HEADS}, [])
        for part in (slice(0, 20), slice(20, None))
    ]


@pytest.fixture
def save(tmp_path: Path) -> Callable[[keras.Model], Path]:
    """Save a network as the stage `train` would."""

    def to_file(network: keras.Model) -> Path:
        path = tmp_path / "model.keras"
        network.save(path)
        return path

    return to_file
