from pathlib import Path

import pytest

from vitrine.core.errors import DataError
from vitrine.core.taxonomy import UNKNOWN, Label, Taxonomy


def _write(folder: Path, text: str) -> Path:
    path = folder / "taxonomy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_order_fixes_the_index(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.yaml"
    Taxonomy(
        styles=(Label(name="b", display={"zh": "乙"}), Label(name="a")),
        categories=(Label(name="x"),),
        forbidden=(("a", "x"),),
    ).save(path)
    taxonomy = Taxonomy.load(path)
    assert [taxonomy.index("style", name) for name in ("b", "a", "")] == [0, 1, UNKNOWN]
    assert taxonomy.labels("style")[0].text("zh") == "乙"
    assert taxonomy.labels("style")[0].text("en") == "b"
    assert taxonomy.forbidden == (("a", "x"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "styles: [{name: a}, {name: a}]\ncategories: []",
            "style 'a' is listed more than once; keep one",
        ),
        (
            "styles: [{name: a}]\ncategories: []\nforbidden: [[a, y]]",
            "forbidden names the category 'y', which is not listed",
        ),
        (
            "styles: [{name: ' a'}]\ncategories: []",
            "must not begin or end with a space, but got ' a'",
        ),
        ("styles: [{nme: a}]\ncategories: []", "styles.0"),
        ("- a", "taxonomy"),
        ("a: [", "is not valid UTF-8 YAML"),
    ],
)
def test_a_wrong_taxonomy_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        Taxonomy.load(_write(tmp_path, text))
    assert words in str(caught.value)
    assert "taxonomy.yaml" in str(caught.value)
