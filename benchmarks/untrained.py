"""Bundles of untrained networks, for figures that do not depend on what a network has learnt."""

from pathlib import Path

import keras
import numpy as np
from measure import ROOT

from vitrine import imaging
from vitrine.bundle.export import Contents, export_bundle
from vitrine.bundle.format import Lineage
from vitrine.core.manifest import Catalogue
from vitrine.core.params import Params, override
from vitrine.core.taxonomy import HEADS, UNKNOWN
from vitrine.inputs.shards import Batch
from vitrine.models import build

NETWORKS = {"small_resnet": (80, 64), "MobileNetV3Small": (224, 224)}
"""By backbone, height and width of its images."""


def export(
    backbone: str, size: tuple[int, int], catalogue: Catalogue, place: Path, seed: int
) -> Path:
    """Make a bundle of an untrained network in a folder of `place`, and `model.keras` beside it."""
    image = override(Params.load(ROOT / "params.yaml").image, {"height": size[0], "width": size[1]})
    taxonomy = catalogue.taxonomy()
    keras.utils.set_random_seed(seed)
    classes = {head: len(taxonomy.names(head)) for head in HEADS}
    network = build(backbone, image_shape=(*size, 3), classes=classes, dropout=0.2)
    network.save(place / "model.keras")
    sources = [catalogue.path(row).read_bytes() for row in catalogue.rows()]
    pixels = np.stack([imaging.load(source, image) for source in sources])
    labels = {head: np.full(len(pixels), UNKNOWN) for head in HEADS}
    lineage = Lineage(
        git_commit="none",
        data_digest="none",
        params_digest="none",
        run_id="none",
        created=str(seed),
    )
    contents = Contents(image, taxonomy, lineage, sources[:8], tolerance=1e-2, precision=0.95)
    folder = place / f"bundle{seed}"
    export_bundle(place / "model.keras", folder, contents, [Batch(pixels, labels, [])])
    return folder
