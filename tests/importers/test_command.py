"""`vitrine import` as it is typed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vitrine.cli import main
from vitrine.core.manifest import Catalogue

Photos = Callable[..., Path]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def vitrine(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `vitrine` in a folder with a params.yaml; give its exit status, stdout and stderr."""
    (workplace / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["vitrine", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


Vitrine = Callable[..., tuple[int, str, str]]


def test_folder(vitrine: Vitrine, photos: Photos) -> None:
    source = photos("vintage/hat/a.jpg", "plain/hat/b.jpg")
    status, told, _ = vitrine("import", "folder", source, "--layout", "style/category")
    assert status == 0
    assert told.startswith("Imported 2 images into data.\n")
    assert told.endswith("  git add data.dvc && git commit -m 'data: import source'\n")
    status, _, error = vitrine("import", "folder", source, "--layout", "style/category")
    assert (status, error.count("\n")) == (1, 1)
    assert error.startswith("error: data already holds a catalogue: add to it with --append")
    status, told, _ = vitrine("import", "folder", source, "--layout", "category", "--replace")
    assert status == 0


def test_table(vitrine: Vitrine, photos: Photos) -> None:
    folder = photos("pics/a.jpg", "pics/b.jpg")
    (folder / "list.csv").write_text("file,kind,name\na.jpg,hat,Red\nb.jpg,shoe,Blue\n")
    status, _, _ = vitrine(
        *("import", "table", folder / "list.csv", "--image", "file", "--category", "kind"),
        *("--title", "name", "--images", folder / "pics", "--data", "elsewhere", "--limit", "1"),
    )
    assert status == 0
    assert [row.title for row in Catalogue(Path("elsewhere")).rows()] == ["Blue"]


def test_fashion_product_images(vitrine: Vitrine, photos: Photos) -> None:
    folder = photos(*(f"images/{i}.jpg" for i in range(12)))
    lines = [f"{i},{'Casual' if i < 11 else 'Party'},Topwear,Tee {i}" for i in range(12)]
    text = "\n".join(["id,usage,subCategory,productDisplayName", *lines, ""])
    (folder / "styles.csv").write_text(text)
    status, told, _ = vitrine(
        *("import", "fashion-product-images", folder),
        *("--style", "usage", "--category", "subCategory"),
    )
    assert status == 0
    assert "style: 1 label (Casual 11); 1 image without" in told
    assert "Emptied style labels (fewer than 10 images): Party 1" in told


def test_a_missing_source_is_one_line(vitrine: Vitrine) -> None:
    for words in (("folder", "no"), ("table", "no"), ("fashion-product-images", "no")):
        status, _, error = vitrine("import", *words)
        assert (status, error.count("\n")) == (1, 1)
        assert error.startswith("error: no")
    status, _, error = vitrine("import", "fashion-mnist", "no")
    assert (status, error.count("\n")) == (1, 1)


@pytest.mark.parametrize("option", ["--limit", "--min-images"])
def test_numbers_must_be_positive(option: str, vitrine: Vitrine, photos: Photos) -> None:
    status, _, error = vitrine("import", "folder", photos("hat/a.jpg"), option, "0")
    assert status == 2
    assert option in error
