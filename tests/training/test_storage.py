"""A study is kept where tune.storage says, and its password is shown nowhere."""

import traceback
from pathlib import Path

import pytest

from vitrine.core.errors import ParamsError, StudyError
from vitrine.core.params import Params
from vitrine.training.search import searching
from vitrine.training.storage import STORAGE, locate

SECRET = "s3cret-word"


def test_local_is_a_file(tmp_path: Path) -> None:
    place = locate("local", tmp_path / "tune", "a1b2")
    assert place.file == tmp_path / "tune/a1b2.db"
    assert str(place) == str(place.file)


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        ("mysql", r"tune\.storage must be local or a URL such as postgresql\+psycopg2://"),
        (f"postgresql+psycopg2://ann:{SECRET}@host/db", r"password.*VITRINE_TUNE_STORAGE"),
        (f"postgresql+psycopg2://host/db?password={SECRET}", r"password.*VITRINE_TUNE_STORAGE"),
    ],
)
def test_a_wrong_storage_is_refused(storage: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=words) as caught:
        locate(storage, tmp_path, "name")
    assert SECRET not in str(caught.value)


def test_the_environment_comes_first_and_may_hold_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORAGE, f"postgresql+psycopg2://ann:{SECRET}@db.example:5432/studies")
    place = locate("local", tmp_path, "name")
    assert SECRET in place.url
    assert place.file is None
    assert SECRET not in f"{place} {place!r}"
    assert str(place) == "postgresql+psycopg2://db.example:5432/studies"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            f"postgresql+psycopg2://ann:{SECRET}@127.0.0.1:1/studies?connect_timeout=2",
            r"the study at postgresql\+psycopg2://127\.0\.0\.1:1/studies failed: .*refused; start",
        ),
        (f"postgresql+pg8000://ann:{SECRET}@host/db", r"driver of postgresql\+pg8000.* install"),
        (f"nosuch://ann:{SECRET}@host/db", "driver of nosuch.* is not installed"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_without_the_password(
    url: str, words: str, params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORAGE, url)
    place = locate("local", tmp_path, "name")
    with (
        pytest.raises(StudyError, match=words) as caught,
        searching(place, params.tune, params.train),
    ):
        pytest.fail("nothing was opened")
    assert "\n" not in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
