"""A disk that fills: one line, exit status 1, and nothing half-written in the place of a good file."""

import shutil
import subprocess
from pathlib import Path

import pytest

from clones import ROOT, Clone, environment

pytestmark = pytest.mark.integration


def _can_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def place(tmp_path: Path) -> Clone:
    """A working directory with the repository's params.yaml and a tiny catalogue."""
    if not _can_mount(tmp_path):
        pytest.skip("a small file system cannot be mounted here (unshare and tmpfs are needed)")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    here = Clone(tmp_path, environment(tmp_path, ROOT))
    here.run("vitrine", "demo", "--images", "90", "--size", "32")
    return here


def _on_a_small_disk(here: Clone, folder: str, size: str, command: str) -> tuple[str, list[str]]:
    """Run a command with `folder` on a file system of a few kB; return its words and what is left."""
    (here.path / folder).mkdir(exist_ok=True)
    script = (
        f"mount -t tmpfs -o size={size} tmpfs {folder} && cp -r {folder}.before/. {folder}/;"
        f" {command}; echo status $?; find {folder} -type f | sort"
    )
    before = here.path / f"{folder}.before"
    shutil.copytree(here.path / folder, before)
    said = here.run("unshare", "-rm", "sh", "-c", script)
    message, _, rest = said.partition("status 1\n")
    return message, rest.split()


def test_validate_on_a_full_disk(place: Clone) -> None:
    message, left = _on_a_small_disk(place, "artifacts", "4k", "vitrine validate")
    assert message.startswith("error: no space is left on the device")
    assert message.endswith("free some and run the command again\n")
    assert left == []


@pytest.mark.parametrize("size", ["16k", "96k"])
def test_validate_on_a_disk_that_is_too_small_for_its_tables(place: Clone, size: str) -> None:
    message, _ = _on_a_small_disk(place, ".cache", size, "vitrine validate")
    assert message.startswith("error: no space is left on the device")
    assert not (place.path / "reports/validate").exists()


def test_prepare_on_a_full_disk(place: Clone) -> None:
    place.run("vitrine", "validate")
    message, left = _on_a_small_disk(place, "artifacts", "256k", "vitrine prepare")
    assert message.startswith("error: no space is left on the device")
    names = ("facts.parquet", "near_duplicates.parquet")
    assert left == [f"artifacts/validate/{name}" for name in names]
