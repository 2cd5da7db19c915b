"""Which bentofile the service follows."""

from pathlib import Path

import pytest

from vitrine.serving.service import followed
from vitrine.serving.settings import Settings


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder named as a Bento's folder of sources is, with a bentofile."""
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "bentofile.yaml").touch()
    return folder


def test_the_bentofile_of_the_working_directory_is_followed(repository: Path) -> None:
    assert followed(Settings(), repository) == repository / "bentofile.yaml"
    (repository / "bentofile.yaml").unlink()
    assert followed(Settings(), repository) is None


def test_a_bento_follows_only_what_it_is_told_to(repository: Path) -> None:
    (repository.parent / "bento.yaml").touch()
    assert followed(Settings(), repository) is None
    assert followed(Settings(follow="/srv/bentofile.yaml"), repository) == Path(
        "/srv/bentofile.yaml"
    )


def test_an_empty_setting_follows_nothing(repository: Path) -> None:
    assert followed(Settings(follow=""), repository) is None
