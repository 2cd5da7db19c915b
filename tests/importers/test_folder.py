"""What the levels of a folder tree say."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vitrine.core.errors import ImportFailed
from vitrine.importers.folder import Folder
from vitrine.importers.source import Candidate, Remark

Photos = Callable[..., Path]


def offered(root: Path, layout: str | None) -> dict[str, Candidate]:
    return {entry.origin: entry for entry in Folder(root, layout) if isinstance(entry, Candidate)}


def remarks(root: Path, layout: str | None) -> dict[str, str]:
    return {
        entry.origin: entry.reason for entry in Folder(root, layout) if isinstance(entry, Remark)
    }


def test_one_level_is_the_category(photos: Photos) -> None:
    found = offered(photos("shoe/b.jpg", "hat/a.jpg", "loose.jpg"), None)
    assert list(found) == ["hat/a.jpg", "loose.jpg", "shoe/b.jpg"]
    assert [entry.category for entry in found.values()] == ["hat", "", "shoe"]
    assert {entry.style for entry in found.values()} == {""}


def test_more_levels_must_be_named(photos: Photos) -> None:
    source = photos("vintage/hat/a.jpg")
    with pytest.raises(
        ImportFailed,
        match=r"more than one level of folders \(vintage/hat/a.jpg\): say what they are",
    ):
        Folder(source, None)
    found = offered(source, "style/category")["vintage/hat/a.jpg"]
    assert (found.style, found.category) == ("vintage", "hat")
    assert offered(source, "category")["vintage/hat/a.jpg"].category == "vintage"


def test_product_and_split_levels(photos: Photos) -> None:
    source = photos("train/hat/p1/a.jpg", "validation/hat/p2/b.jpg", "draft/hat/p3/c.jpg")
    found = offered(source, "split/category/product")
    assert [(entry.split, entry.product) for entry in found.values()] == [
        ("train", "p1"),
        ("val", "p2"),
    ]
    told = remarks(source, "split/category/product")
    assert told == {
        "draft/hat/p3/c.jpg": "its folder must be train, val or test, to be a split; rename it"
    }


def test_a_shallow_image_has_the_labels_of_its_folders(photos: Photos) -> None:
    found = offered(photos("vintage/a.jpg", "vintage/hat/b.jpg"), "style/category")
    assert (found["vintage/a.jpg"].style, found["vintage/a.jpg"].category) == ("vintage", "")


def test_clutter_is_passed_over(photos: Photos) -> None:
    source = photos("hat/a.jpg", ".git/b.jpg", "hat/.DS_Store", "hat/Thumbs.db", "__MACOSX/c.jpg")
    assert list(offered(source, None)) == ["hat/a.jpg"]
    assert remarks(source, None) == {}


def test_links_to_folders_are_reported(photos: Photos) -> None:
    source = photos("hat/a.jpg")
    (source / "loop").symlink_to(source)
    assert list(offered(source, None)) == ["hat/a.jpg"]
    assert remarks(source, None) == {"loop": "a link to a folder is not followed"}


def test_names_that_are_no_text(photos: Photos) -> None:
    source = photos("hat/a.jpg")
    folder = source / os.fsdecode(b"caf\xe9")
    (source / "hat").rename(folder)
    (folder / "a.jpg").rename(folder / "b.jpg")
    assert remarks(source, None) == {
        "caf\\udce9/b.jpg": "a folder's name is not printable UTF-8 text; rename it"
    }


@pytest.mark.parametrize("layout", ["brand", "style/style", "", "category/"])
def test_wrong_layouts(layout: str, photos: Photos) -> None:
    with pytest.raises(ImportFailed, match="--layout must name levels out of style, category"):
        Folder(photos("hat/a.jpg"), layout)


def test_layout_without_a_label(photos: Photos) -> None:
    with pytest.raises(ImportFailed, match="--layout must hold style or category, but got 'split'"):
        Folder(photos("hat/a.jpg"), "split")


def test_no_folder(workplace: Path) -> None:
    with pytest.raises(ImportFailed, match="nowhere is not a folder: give the folder"):
        Folder(Path("nowhere"), None)
