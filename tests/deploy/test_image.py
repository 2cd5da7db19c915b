"""The image of the service: what `bentoml containerize` builds it by."""

import re
from pathlib import Path

import pytest

from clones import ROOT, make_clone
from served import pin, store
from vitrine.serving.image import BOOTSTRAP, container_image

TAG = "vitrine:v7-0123abcd"
RENDER = "import bentoml; bentoml.container.get_containerfile('vitrine-api:image', 'Dockerfile')"


def test_a_bento_describes_no_image_again(tmp_path: Path) -> None:
    assert container_image(tmp_path) is None


@pytest.fixture(scope="module")
def containerfile(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> str:
    """The Dockerfile of a Bento of the tiny bundle."""
    clone = make_clone(tmp_path_factory.mktemp("image"))
    store(clone, TAG, tiny_bundle, "7")
    pin(clone.path, TAG)
    clone.env |= {"VITRINE_SERVING_KEYS": f"shop:{'5' * 64}"}
    clone.run("bentoml", "build", "--version", "image")
    clone.run("python", "-c", RENDER)
    return (clone.path / "Dockerfile").read_text(encoding="utf-8")


def instructions(containerfile: str, name: str) -> list[str]:
    """What stands after an instruction's name, each time it occurs."""
    joined = containerfile.replace("\\\n", " ")
    return re.findall(rf"^{name}\s+(.+)$", joined, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.integration
def test_it_is_slim_and_made_without_a_compiler(containerfile: str) -> None:
    (base,) = instructions(containerfile, "FROM")
    assert re.fullmatch(r"python:3\.\d+-slim AS base-container", base)
    assert "apt-get" not in containerfile
    assert "UV_NO_BUILD=1" in instructions(containerfile, "ENV")


@pytest.mark.slow
@pytest.mark.integration
def test_all_that_is_installed_is_locked_with_hashes(containerfile: str) -> None:
    own, fallback, packages = (
        run for run in instructions(containerfile, "RUN") if "pip install" in run
    )
    assert "pip install --no-cache-dir --require-hashes" in own
    for word in (ROOT / BOOTSTRAP).read_text(encoding="utf-8").split():
        assert word == "\\" or word in own
    # BentoML's own line would take any version, if ours had not come before.
    assert fallback.startswith("command -v uv")
    # uv refuses what differs from its hash.
    assert "env/python/requirements.txt" in packages


@pytest.mark.slow
@pytest.mark.integration
def test_it_runs_as_a_user_of_its_own_and_says_how_it_is(containerfile: str) -> None:
    assert instructions(containerfile, "USER") == ["bentoml"]
    assert "BENTO_USER_UID=1034" in instructions(containerfile, "ARG")
    (health,) = instructions(containerfile, "HEALTHCHECK")
    assert "/readyz" in health
    assert "BENTOML_HOST=0.0.0.0 BENTOML_HOME=/tmp/bentoml" in instructions(containerfile, "ENV")
    (start,) = instructions(containerfile, "CMD")
    assert "--unset=BENTOML_CONTAINERIZED" in start


@pytest.mark.slow
@pytest.mark.integration
def test_no_key_gets_into_it(containerfile: str) -> None:
    assert "5" * 64 not in containerfile
    assert "VITRINE_SERVING" not in containerfile
