"""Fixtures that several packages' tests share."""

from pathlib import Path

import pytest

from vitrine.core.params import Params

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def params() -> Params:
    """The repository's own params.yaml."""
    return Params.load(ROOT / "params.yaml")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, as the root of a repository would be."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
