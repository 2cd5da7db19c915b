"""`vitrine demo` on the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from vitrine.cli import app
from vitrine.core.errors import DataError

SMALL = ["demo", "--images", "25", "--size", "32"]


def test_it_says_what_was_drawn_and_what_comes_next(workplace: Path) -> None:
    result = CliRunner().invoke(app, SMALL)

    assert result.exit_code == 0
    assert "25 images of" in result.output
    for word in ("minimalist", "electronics", "8.0% of the style labels", "dvc add data"):
        assert word in result.output
    assert (workplace / "data" / "manifest.csv").is_file()


def test_it_replaces_only_when_told(workplace: Path) -> None:
    CliRunner().invoke(app, SMALL, catch_exceptions=False)
    before = (workplace / "data" / "manifest.csv").read_bytes()

    with pytest.raises(DataError, match="--replace"):
        CliRunner().invoke(app, [*SMALL, "--seed", "8"], catch_exceptions=False)
    assert (workplace / "data" / "manifest.csv").read_bytes() == before

    CliRunner().invoke(app, [*SMALL, "--seed", "8", "--replace"], catch_exceptions=False)
    assert (workplace / "data" / "manifest.csv").read_bytes() != before


def test_it_plants_faults_and_says_what_must_be_found(workplace: Path) -> None:
    result = CliRunner().invoke(
        app, ["demo", "--images", "120", "--size", "48", "--faults", "1"], catch_exceptions=False
    )

    assert result.exit_code == 0
    for words in ("link_outside", "too_dark", "images/flipped-0001.jpg", "vitrine validate"):
        assert words in result.output
    assert "dvc add" not in result.output
    assert (workplace / "data" / "images" / "flipped-0001.jpg").is_file()
    assert list((workplace / "data-outside" / "images").iterdir())


def test_a_catalogue_too_small_for_the_faults_is_refused(workplace: Path) -> None:
    with pytest.raises(DataError, match="ordinary images"):
        CliRunner().invoke(app, [*SMALL, "--faults", "1"], catch_exceptions=False)
