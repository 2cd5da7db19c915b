import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from vitrine.cli import app
from vitrine.core.errors import DataError
from vitrine.core.manifest import Row
from vitrine.core.params import ImageParams
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.quality.difference import Difference, compare, resolve
from vitrine.quality.difference.markdown import LIMIT, markdown
from vitrine.quality.difference.page import LABELS, render
from vitrine.quality.difference.pictures import Gallery, Shown, draw
from vitrine.quality.difference.result import Change
from vitrine.quality.difference.taxonomies import compare_taxonomies


def _taxonomy(*styles: str, **more: object) -> Taxonomy:
    labels = tuple(Label(name=name) for name in styles)
    return Taxonomy(styles=labels, categories=(Label(name="home"),), **more)


TAXONOMY = _taxonomy("vintage", "modern")


@dataclass
class Invented:
    """A version of the data: rows with what stands for their bytes, and files without a row."""

    images: list[tuple[Row, str | None]] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)
    labels: Taxonomy = TAXONOMY
    checks: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return "an invented version"

    def digests(self) -> Iterator[tuple[str, str]]:
        found = {row.image: digest for row, digest in self.images if digest}
        yield from {**found, **self.others}.items()

    def rows(self) -> Iterator[Row]:
        yield from (row for row, _ in self.images)

    def taxonomy(self) -> Taxonomy:
        return self.labels

    def bytes_of(self, image: str, digest: str, limits: ImageParams) -> bytes:
        raise DataError(f"{image} is out of reach")

    def validation(self) -> Mapping[str, int]:
        return self.checks


def _images(**digests: str | None) -> list[tuple[Row, str | None]]:
    return [(Row(name, "vintage", "home"), digest) for name, digest in digests.items()]


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


def _counts(difference: Difference) -> dict[str, int]:
    return {kind: images for kind, images in difference.counts.items() if images}


def test_every_kind_of_change_is_told_apart(database: sqlite3.Connection) -> None:
    same = _images(same="1")
    before = Invented(
        [
            *same,
            *_images(gone="2", old_name="3", other_bytes="4", other_label="5", other_text="6"),
            *_images(both="7"),
        ]
    )
    after = Invented(
        [
            *same,
            *_images(new="20", new_name="3", other_bytes="40"),
            (Row("other_label", "modern", "home"), "5"),
            (Row("other_text", "vintage", "home", "p1", "", "test"), "6"),
            (Row("both", "vintage", ""), "70"),
            *_images(again="1", twin="20"),
        ]
    )
    difference = compare(database, before, after)
    assert _counts(difference) == {
        "added": 3,
        "removed": 1,
        "renamed": 1,
        "replaced": 2,
        "relabelled": 2,
        "edited": 1,
        "duplicates": 2,
    }
    assert difference.changed
    assert not difference.only_duplicates

    def said(kind: str) -> list[tuple[str, str, str]]:
        return [(one.image, one.labels, one.more) for one in difference.found(kind, 9)]

    assert said("removed") == [("gone", "vintage / home", "")]
    assert said("renamed") == [("new_name", "vintage / home", "was old_name")]
    assert said("relabelled") == [
        ("both", "vintage / home → vintage / ?", ""),
        ("other_label", "vintage / home → modern / home", ""),
    ]
    assert said("edited") == [("other_text", "vintage / home", "another product, split")]
    assert said("duplicates") == [
        ("again", "vintage / home", "same bytes as same"),
        ("twin", "vintage / home", "same bytes as new"),
    ]
    assert [tuple(one) for one in difference.labels] == [
        ("style", "vintage", 7, 8),
        ("style", "modern", 0, 1),
        ("category", "home", 7, 8),
        ("category", "", 0, 1),
    ]
    assert [tuple(one) for one in difference.transitions] == [
        ("style", "vintage", "modern", 1),
        ("category", "home", "", 1),
    ]


def test_of_equal_bytes_each_name_is_renamed_once(database: sqlite3.Connection) -> None:
    before = Invented(_images(a="1", b="1", kept="2"))
    after = Invented(_images(x="1", y="1", z="1", kept="2"))
    difference = compare(database, before, after)
    assert _counts(difference) == {"renamed": 2, "added": 1, "duplicates": 1}
    assert [one.earlier_image for one in difference.found("renamed", 9)] == ["a", "b"]


@pytest.mark.parametrize(
    ("before", "after", "repeats"),
    [
        ({"a": "1"}, {"a": "1", "x": "1"}, {"x": "a"}),
        ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}, {}),
        ({"a": "1"}, {"a": "2", "x": "1"}, {}),
        ({"a": "9", "old": "1"}, {"a": "1", "new": "1"}, {"a": "new"}),
        ({}, {"x": "1", "y": "1"}, {"y": "x"}),
        ({"z": "1"}, {"x": "1", "y": "1", "z": "1"}, {"x": "z", "y": "z"}),
    ],
)
def test_a_duplicate_has_the_bytes_of_an_image_that_is_there(
    database: sqlite3.Connection,
    before: dict[str, str],
    after: dict[str, str],
    repeats: dict[str, str],
) -> None:
    difference = compare(database, Invented(_images(**before)), Invented(_images(**after)))
    assert {one.image: one.repeats for one in difference.found("duplicates", 9)} == repeats


def test_time_grows_with_the_rows_however_many_have_equal_bytes(
    database: sqlite3.Connection,
) -> None:
    count = 400
    before = [(Row(f"a{n}", "modern", "home"), "1") for n in range(count)]
    after = [*before, *_images(**{f"x{n}": "1" for n in range(count)})]
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    database.set_progress_handler(step, 100)
    assert _counts(compare(database, Invented(before), Invented(after)))["duplicates"] == count
    # SQLite's instructions for a row: about 340, and 1,700 if all rows of a content were gone through.
    assert steps * 100 < 2 * count * 800


KNOWN = _images(a="1", b="2")
TWICE = [(Row("c", "vintage", "home"), "1")]


@pytest.mark.parametrize(
    ("after", "changed", "only_duplicates"),
    [
        (Invented(KNOWN), False, False),
        (Invented([*KNOWN, *TWICE]), True, True),
        (Invented([*KNOWN, (Row("c", "modern", "home"), "1")]), True, False),
        (Invented([*KNOWN, (Row("c", "vintage", "home", split="test"), "1")]), True, False),
        (Invented([*KNOWN, *TWICE, *_images(d="9")]), True, False),
        (Invented([*KNOWN[1:], *TWICE]), True, False),
        (Invented([*KNOWN, *TWICE], labels=_taxonomy("modern", "vintage")), True, False),
        (Invented([*KNOWN, *TWICE], {"images/no row.jpg": "8"}), True, False),
        (Invented(KNOWN, {"manifest.csv": "other bytes, same rows"}), False, False),
        (Invented(_images(a="1", b=None)), True, False),
    ],
)
def test_a_script_learns_whether_there_is_something_to_train_on(
    database: sqlite3.Connection, after: Invented, changed: bool, only_duplicates: bool
) -> None:
    document = compare(database, Invented(KNOWN), after).document()
    assert (document["changed"], document["only_duplicates"]) == (changed, only_duplicates)


def test_files_without_a_row_are_counted(database: sqlite3.Connection) -> None:
    before = Invented(KNOWN, {"images/x": "1", "images/y": "2", "manifest.csv": "3"})
    after = Invented(KNOWN, {"images/y": "20", "images/z": "4", "manifest.csv": "5"})
    difference = compare(database, before, after)
    assert difference.other_files == 3
    assert difference.verdict == "The data changed: 3 other files."


def test_faults_of_a_manifest_are_notes(database: sqlite3.Connection) -> None:
    before = Invented(KNOWN)
    after = Invented([*KNOWN, *KNOWN[:1], *_images(nothing=None)])
    difference = compare(database, before, after)
    assert difference.notes == [
        "Rows of an invented version that name an image of an earlier row, and are left out: 1.",
        "Rows of an invented version that name an image without a file: 1.",
    ]
    assert _counts(difference) == {"added": 1}


class Unlabelled(Invented):
    def taxonomy(self) -> Taxonomy:
        raise DataError("its taxonomy.yaml is not valid")


@pytest.mark.parametrize(("digest", "changed"), [("1", False), ("2", True)])
def test_a_taxonomy_that_cannot_be_read_counts_as_changed_where_its_file_is(
    database: sqlite3.Connection, digest: str, changed: bool
) -> None:
    before = Invented(KNOWN, {"taxonomy.yaml": "1"})
    after = Unlabelled([*KNOWN, *TWICE], {"taxonomy.yaml": digest})
    difference = compare(database, before, after)
    assert bool(difference.taxonomy) == changed
    assert difference.only_duplicates == (not changed)
    assert difference.notes == ["The taxonomies are not compared: its taxonomy.yaml is not valid."]


def test_a_file_may_have_any_name(database: sqlite3.Connection) -> None:
    difference = compare(database, Invented(), Invented([], {"images/\udcff.jpg": "1"}))
    assert difference.other_files == 1


def test_figures_of_validation_that_differ_are_shown(database: sqlite3.Connection) -> None:
    before = Invented(KNOWN, checks={"images": 2, "blurry": 0, "old": 1})
    after = Invented(KNOWN, checks={"images": 2, "blurry": 5, "new": 3})
    difference = compare(database, before, after)
    assert difference.check_cells == [("blurry", "0", "5"), ("old", "1", ""), ("new", "", "3")]


@pytest.mark.parametrize(
    ("after", "sentences"),
    [
        (TAXONOMY, []),
        (_taxonomy("vintage", "modern", "art"), ["style added: 'art'."]),
        (_taxonomy("vintage"), ["style removed: 'modern'."]),
        (_taxonomy("vintage", "retro"), ["style 'modern' is now 'retro'."]),
        (
            _taxonomy("modern", "vintage"),
            ["The order of the style labels changed: so do a model's outputs."],
        ),
        (
            _taxonomy("new", "vintage", "retro"),
            [
                "style added: 'new'.",
                "style 'modern' is now 'retro'.",
                "The order of the style labels changed: so do a model's outputs.",
            ],
        ),
        (
            _taxonomy("vintage", "modern", forbidden=(("modern", "home"),)),
            ["Other pairs are forbidden."],
        ),
    ],
)
def test_changes_of_the_taxonomy_are_said(after: Taxonomy, sentences: list[str]) -> None:
    change = compare_taxonomies(TAXONOMY, after)
    assert change.sentences == sentences
    assert bool(change) == bool(sentences)


def test_markdown_stays_below_the_limit_and_says_how_much_is_left_out(
    database: sqlite3.Connection,
) -> None:
    long = "x" * 3000
    rows = [(Row(f"images/{n:03} |<b>*{long}", f"{n} {long}", "home"), str(n)) for n in range(300)]
    difference = compare(database, Invented(), Invented(rows))
    text = markdown(difference, (), {})
    assert len(text) <= LIMIT
    assert "## Added: 300" in text
    assert "… and 280 more.\n" in text
    assert r"images/000 \|&lt;b&gt;\*xxx" in text


def test_markdown_mentions_nobody(database: sqlite3.Connection) -> None:
    difference = compare(database, Invented(), Invented(_images(**{"@someone.jpg": "1"})))
    text = markdown(difference, ("see @team/all",), {})
    assert "someone.jpg" in text
    assert not re.search(r"@\w", text)


def test_the_page_says_how_many_labels_and_pairs_of_labels_are_left_out(
    database: sqlite3.Connection,
) -> None:
    labels = range(LABELS + 7)
    before, after = (
        Invented([(Row(f"{n}", f"{side} {n}", "home"), f"{n}") for n in labels])
        for side in ("old", "new")
    )
    page = render(compare(database, before, after), Gallery({}, 0, ""))
    left = 2 * len(labels) + 3 - LABELS  # the taxonomy's two styles and its category
    assert f"<p>… and {left} more; all are in diff.json.</p>" in page
    assert "<p>… and 7 more; all are in diff.json.</p>" in page


def test_a_sheet_holds_the_most_pictures_that_can_be_asked_for(tmp_path: Path) -> None:
    change = Change("kept", "a", "a", "2", "1", "", "", "", "", "", None)
    gallery = Gallery({"replaced": [Shown(change, ("a", "a"), (None, None))] * 1000}, 0, "")
    assert gallery.write_sheets(tmp_path) == {"replaced": 1000}
    with Image.open(tmp_path / "replaced.jpg") as sheet:
        assert max(sheet.size) < 65_500
    asked = CliRunner().invoke(app, ["diff", "--pictures", "1001"])
    assert asked.exit_code == 2


def test_what_git_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(DataError, match="git cannot look up 'HEAD': not a git repository"):
        resolve("HEAD", tmp_path / "data.dvc")


def test_pictures_that_cannot_be_had_do_not_stop_the_rest(
    database: sqlite3.Connection, small: ImageParams
) -> None:
    sides = (Invented(KNOWN), Invented(_images(a="1", b="3", c="4")))
    difference = compare(database, *sides)
    gallery = draw(difference, sides, small, 5)
    assert gallery.notes == ["3 pictures cannot be shown: c is out of reach."]
    assert [one.pictures for one in gallery.kinds["replaced"]] == [(None, None)]
