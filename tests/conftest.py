"""Fixtures that several packages' tests share."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from clones import ROOT
from vitrine.core.manifest import Catalogue
from vitrine.core.params import ImageParams, Params, override
from vitrine.demo import draw_catalogue


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold slow tests, where workers share the files.

    Otherwise one worker may be left with the slowest file when the others have nothing to do.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)
        # Of several tests of one id, a worker runs the first alone.
        assert len({item.nodeid for item in items}) == len(items)


@pytest.fixture(scope="session")
def params() -> Params:
    """The repository's own params.yaml."""
    return Params.load(ROOT / "params.yaml")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, as the root of a repository would be."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an embedded tracking store without runs: making one takes seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(workplace: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with an embedded tracking store, which is in use."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    shutil.copyfile(empty_store, workplace / "mlflow.db")
    return workplace


@pytest.fixture(scope="session")
def small(params: Params) -> ImageParams:
    """The repository's image settings at 32 pixels."""
    return override(params.image, {"height": 32, "width": 32})


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """A drawn catalogue of 36 images at 32 pixels; for reading only."""
    root = tmp_path_factory.mktemp("catalogue") / "data"
    draw_catalogue(root, images=36, size=32, seed=1)
    return Catalogue(root)


@pytest.fixture(scope="session")
def make_bundle(
    small: ImageParams, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path, int], Path]:
    """Make a real bundle of an untrained network, for the demo's taxonomy at 32 pixels.

    Call it with the folder to make and a seed: another seed gives another network.
    """
    taxonomy = catalogue.taxonomy()
    sources = [catalogue.path(row).read_bytes() for row in catalogue.rows()]

    def make(folder: Path, seed: int = 1) -> Path:
        import keras
        import numpy as np

        from vitrine import imaging
        from vitrine.bundle.export import Contents, export_bundle
        from vitrine.bundle.format import Lineage
        from vitrine.core.taxonomy import HEADS, UNKNOWN
        from vitrine.inputs.shards import Batch

        keras.utils.set_random_seed(seed)
        image = keras.Input((32, 32, 3), name="image")
        x = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
        x = keras.layers.Conv2D(16, 5, strides=4, use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU(name="features")(x)
        x = keras.layers.GlobalAveragePooling2D(name="embedding")(x)
        x = keras.layers.Dropout(0.5)(x)
        heads = {h: keras.layers.Dense(len(taxonomy.names(h)), name=h)(x) for h in HEADS}
        path = tmp_path_factory.mktemp("network") / "model.keras"
        keras.Model(image, heads).save(path)

        pixels = np.stack([imaging.load(source, small) for source in sources])
        # Without labels nothing is calibrated: the labels would say of random answers that they
        # mean nothing, and all probabilities would be alike.
        labels = {head: np.full(len(pixels), UNKNOWN) for head in HEADS}
        lineage = Lineage(
            git_commit="0" * 40,
            data_digest="1" * 32,
            params_digest="2" * 64,
            run_id="3" * 32,
            created="2026-01-01T00:00:00+00:00",
        )
        contents = Contents(small, taxonomy, lineage, sources[:3], tolerance=1e-3, precision=0.95)
        export_bundle(path, folder, contents, [Batch(pixels, labels, [])])
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_bundle(
    make_bundle: Callable[[Path, int], Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A real bundle that every test may read and none may change."""
    return make_bundle(tmp_path_factory.mktemp("bundle") / "export", 1)
