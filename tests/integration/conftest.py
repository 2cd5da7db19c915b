"""A clone in which the pipeline ran, for all integration tests."""

import pytest

from clones import SMALL, Clone, make_clone


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which a tiny catalogue went through the whole pipeline once."""
    clone = make_clone(tmp_path_factory.mktemp("trained"))
    clone.run("vitrine", "demo", "--images", "180", "--size", "32", "--replace")
    clone.run("dvc", "add", "--quiet", "data")
    clone.set_params(SMALL)
    clone.run("dvc", "repro")
    return clone
