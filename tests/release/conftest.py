"""A repository's root with a registry and a BentoML store of its own."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

import registering
from clones import ROOT
from vitrine.bundle.format import digests, load_info
from vitrine.bundle.golden import read_golden, write_golden
from vitrine.core.pin import BENTOFILE

Register = Callable[..., str]


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what `bentoml build` needs of the repository."""
    folder = tmp_path_factory.mktemp("root")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    (folder / "requirements").mkdir()
    shutil.copyfile(ROOT / "requirements/serve.txt", folder / "requirements/serve.txt")
    return folder


@pytest.fixture
def stores(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory; BentoML looks for its store only once in a process."""
    monkeypatch.setenv("BENTOML_HOME", str(root / "bentoml"))
    monkeypatch.setenv("BENTOML_DO_NOT_TRACK", "True")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def bentofile(stores: Path) -> Path:
    """The repository's bentofile.yaml in the working directory, with nothing pinned."""
    text = (ROOT / BENTOFILE).read_text(encoding="utf-8")
    BENTOFILE.write_text(re.sub("(?m)^models:.*$", "models: []", text), encoding="utf-8")
    return BENTOFILE


@pytest.fixture
def name(stores: Path) -> str:
    """A registered model of each test's own."""
    return f"model-{uuid4().hex[:8]}"


@pytest.fixture
def register(name: str, tiny_bundle: Path) -> Register:
    """Register a bundle as a version of the test's model, the champion unless told otherwise."""

    def make(bundle: Path = tiny_bundle, gate: str = "passed", alias: str = "champion") -> str:
        return registering.register(bundle, name, gate=gate, alias=alias)

    return make


@pytest.fixture(scope="session")
def other_bundle(
    make_bundle: Callable[[Path, int], Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A real bundle that answers otherwise than `tiny_bundle`; for reading only."""
    return make_bundle(tmp_path_factory.mktemp("other") / "export", 2)


@pytest.fixture
def forged_bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A bundle of right digests that does not give its golden answers."""
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "export"))
    sources, expected = read_golden(bundle)
    write_golden(bundle, sources, {head: np.roll(p, 1, axis=1) for head, p in expected.items()})
    load_info(tiny_bundle).model_copy(update={"files": digests(bundle)}).save(bundle)
    return bundle
