"""What every importer shares: data/ is made, added to or replaced whole, and nothing is left unsaid."""

import csv
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vitrine.core.errors import DataError, ImportFailed
from vitrine.core.manifest import Catalogue
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.importers import pictures
from vitrine.importers.folder import Folder
from vitrine.importers.report import Imported

Photos = Callable[..., Path]
BringIn = Callable[..., Imported]
DATA = Path("data")
ROOT = Path(__file__).parents[2]


def rows() -> list[tuple[str, str]]:
    return [(row.image, row.category) for row in Catalogue(DATA).rows()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path, with what it holds."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_images_arrive_byte_for_byte(photos: Photos, bring_in: BringIn) -> None:
    source = photos("hat/a.jpg", "shoe/b.jpg", "shoe/c.jpg")
    result = bring_in(Folder(source, None))
    assert rows() == [
        ("images/hat/a.jpg", "hat"),
        ("images/shoe/b.jpg", "shoe"),
        ("images/shoe/c.jpg", "shoe"),
    ]
    assert contents(DATA / "images") == contents(source)
    assert Catalogue(DATA).taxonomy().names("category") == ("hat", "shoe")
    assert result.describe() == "\n".join(
        [
            "Imported 3 images into data.",
            "  style: no labels",
            "  category: 2 labels (shoe 2, hat 1)",
            "Version the result with:",
            "  dvc add data",
            "  git add data.dvc && git commit -m 'data: import source'",
        ]
    )


def test_only_the_data_folder_is_left_behind(photos: Photos, bring_in: BringIn) -> None:
    bring_in(Folder(photos("hat/a.jpg"), None))
    assert names(Path()) == ["data", "source"]
    assert names(DATA) == ["images", "manifest.csv", "taxonomy.yaml"]


def test_unreadable_images_are_listed_and_left_out(photos: Photos, bring_in: BringIn) -> None:
    source = photos("hat/a.jpg", "hat/cut.jpg", "hat/empty.jpg", "shoe/b.jpg")
    (source / "hat/cut.jpg").write_bytes((source / "hat/cut.jpg").read_bytes()[:-200])
    (source / "hat/empty.jpg").write_bytes(b"")
    (source / "hat/notes.txt").write_text("buy more hats")
    (source / "shoe/gone.jpg").symlink_to("nowhere.jpg")
    told = bring_in(Folder(source, None)).describe()
    assert rows() == [("images/hat/a.jpg", "hat"), ("images/shoe/b.jpg", "shoe")]
    assert "Left out 4 (all in .cache/import/left-out.csv):" in told
    assert "  1 x the file is empty; first: hat/empty.jpg" in told
    assert "  1 x the file is missing; first: shoe/gone.jpg" in told
    with Path(".cache/import/left-out.csv").open() as file:
        listed = {row["origin"]: row["reason"] for row in csv.DictReader(file)}
    assert set(listed) == {"hat/cut.jpg", "hat/empty.jpg", "hat/notes.txt", "shoe/gone.jpg"}
    assert "damaged or truncated" in listed["hat/cut.jpg"]
    assert "this is text" in listed["hat/notes.txt"]


def test_the_list_of_an_earlier_import_goes(photos: Photos, bring_in: BringIn) -> None:
    source = photos("hat/a.jpg")
    (source / "hat/b.jpg").write_bytes(b"")
    bring_in(Folder(source, None))
    assert Path(".cache/import/left-out.csv").exists()
    (source / "hat/b.jpg").unlink()
    bring_in(Folder(source, None), replace=True)
    assert not Path(".cache/import/left-out.csv").exists()


def test_a_source_without_an_image_changes_nothing(photos: Photos, bring_in: BringIn) -> None:
    bring_in(Folder(photos("hat/a.jpg"), None))
    before = contents(DATA)
    other = photos("shoe/b.jpg", folder="other")
    (other / "shoe/b.jpg").write_bytes(b"no image")
    with pytest.raises(ImportFailed, match=r"other gives no image to import: 1 x this is text"):
        bring_in(Folder(other, None), replace=True)
    (other / "shoe/b.jpg").unlink()
    with pytest.raises(ImportFailed, match=r"other gives no image to import: it is empty$"):
        bring_in(Folder(other, None), replace=True)
    assert contents(DATA) == before


def test_data_in_place_needs_a_word(photos: Photos, bring_in: BringIn) -> None:
    source = photos("hat/a.jpg")
    bring_in(Folder(source, None))
    with pytest.raises(ImportFailed, match="already holds a catalogue: add to it with --append"):
        bring_in(Folder(source, None))
    with pytest.raises(ImportFailed, match="--append and --replace exclude each other"):
        bring_in(Folder(source, None), append=True, replace=True)


def test_data_that_dvc_holds_is_replaced_without_a_word(photos: Photos, bring_in: BringIn) -> None:
    def dvc(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "dvc", *words, "--quiet"], check=True)

    dvc("init", "--no-scm")
    bring_in(Folder(photos("hat/a.jpg"), None))
    dvc("add", "data")
    before = contents(DATA)
    other = Folder(photos("shoe/b.jpg", folder="other"), None)
    assert "`dvc checkout --force data.dvc`" in bring_in(other).describe()
    assert contents(DATA) != before
    with pytest.raises(ImportFailed, match="already holds a catalogue"):
        bring_in(other)
    dvc("checkout", "--force", "data.dvc")
    assert contents(DATA) == before


@pytest.mark.parametrize("mode", ["append", "replace"])
def test_a_folder_that_is_no_catalogue_is_never_touched(
    mode: str, photos: Photos, bring_in: BringIn
) -> None:
    DATA.mkdir()
    (DATA / "thesis.txt").write_text("years of work")
    with pytest.raises(ImportFailed, match=r"data is there, but is no catalogue"):
        bring_in(Folder(photos("hat/a.jpg"), None), **{mode: True})
    assert (DATA / "thesis.txt").read_text() == "years of work"


def test_an_empty_data_folder_is_not_in_the_way(photos: Photos, bring_in: BringIn) -> None:
    DATA.mkdir()
    assert bring_in(Folder(photos("hat/a.jpg"), None)).added == 1


@pytest.mark.parametrize("place", [".", "data/images"])
def test_source_and_data_may_not_lie_in_each_other(
    place: str, photos: Photos, bring_in: BringIn
) -> None:
    bring_in(Folder(photos("hat/a.jpg"), None))
    with pytest.raises(ImportFailed, match="lie in each other"):
        bring_in(Folder(Path(place), "category"), replace=True)


def test_replace(photos: Photos, bring_in: BringIn) -> None:
    bring_in(Folder(photos("hat/a.jpg"), None))
    bring_in(Folder(photos("shoe/b.jpg", folder="other", first=7), None), replace=True)
    assert rows() == [("images/shoe/b.jpg", "shoe")]
    assert Catalogue(DATA).taxonomy().names("category") == ("shoe",)
    assert len(contents(DATA / "images")) == 1


def test_data_behind_a_link_is_replaced_where_it_lies(photos: Photos, bring_in: BringIn) -> None:
    Path("disk").mkdir()
    DATA.symlink_to("disk/data")
    bring_in(Folder(photos("hat/a.jpg"), None))
    bring_in(Folder(photos("hat/b.jpg", folder="other", first=7), None), replace=True)
    assert DATA.is_symlink()
    assert names(Path("disk/data/images/hat")) == ["b.jpg"]


def test_append(photos: Photos, bring_in: BringIn) -> None:
    bring_in(Folder(photos("hat/a.jpg", "shoe/b.jpg"), None))
    more = photos("shoe/c.jpg", folder="other", first=7)
    told = bring_in(Folder(more, None), append=True).describe()
    assert told.startswith("Imported 1 image into data beside the 2 that were there.")
    assert rows() == [
        ("images/hat/a.jpg", "hat"),
        ("images/shoe/b.jpg", "shoe"),
        ("images/shoe/c.jpg", "shoe"),
    ]
    assert len(contents(DATA / "images")) == 3


def test_append_to_nothing_begins_a_catalogue(photos: Photos, bring_in: BringIn) -> None:
    assert bring_in(Folder(photos("hat/a.jpg"), None), append=True).added == 1


def test_appending_the_same_again_is_said(photos: Photos, bring_in: BringIn) -> None:
    source = photos("hat/a.jpg")
    bring_in(Folder(source, None))
    with pytest.raises(ImportFailed, match="1 x the same image is in already; first: hat/a.jpg"):
        bring_in(Folder(source, None), append=True)


def test_another_image_of_the_same_name_is_kept_apart(photos: Photos, bring_in: BringIn) -> None:
    first = photos("hat/a.jpg")
    bring_in(Folder(first, None))
    second = photos("hat/a.jpg", folder="other", first=7)
    bring_in(Folder(second, None), append=True)
    images = [image for image, _ in rows()]
    assert images[0] == "images/hat/a.jpg"
    assert images[1].startswith("images/hat/a-")
    assert (DATA / images[0]).read_bytes() == (first / "hat/a.jpg").read_bytes()
    assert (DATA / images[1]).read_bytes() == (second / "hat/a.jpg").read_bytes()
    with pytest.raises(ImportFailed, match="the same image is in already"):
        bring_in(Folder(second, None), append=True)


def test_labels_that_the_taxonomy_lacks_are_reported(photos: Photos, bring_in: BringIn) -> None:
    bring_in(Folder(photos("old/hat/a.jpg", "old/shoe/b.jpg"), "style/category"))
    more = photos("new/hat/c.jpg", "new/sofa/d.jpg", folder="other", first=7)
    told = bring_in(Folder(more, "style/category"), append=True).describe()
    assert "Emptied style labels (not in taxonomy.yaml; add them there first" in told
    assert "Emptied category labels (not in taxonomy.yaml; add them there first" in told
    assert "1 x style new and category sofa became empty: no label is left" in told
    assert rows()[2:] == [("images/new/hat/c.jpg", "hat")]
    assert not (DATA / "images/new/sofa/d.jpg").exists()


def test_appending_keeps_the_taxonomy_as_it_is(photos: Photos, bring_in: BringIn) -> None:
    bring_in(Folder(photos("hat/a.jpg", "shoe/b.jpg"), None))
    mine = Taxonomy(
        styles=(),
        categories=(
            Label(name="shoe", display={"zh": "鞋"}),
            Label(name="hat"),
            Label(name="sofa"),
        ),
    )
    mine.save(DATA / "taxonomy.yaml")
    bring_in(Folder(photos("sofa/c.jpg", folder="other", first=7), None), append=True)
    assert Catalogue(DATA).taxonomy() == mine
    assert rows()[2] == ("images/sofa/c.jpg", "sofa")


def test_rare_labels_become_empty(photos: Photos, bring_in: BringIn) -> None:
    some = [f"plain/hat/{i}.jpg" for i in range(3)] + ["plain/sofa/x.jpg", "odd/cup/y.jpg"]
    result = bring_in(Folder(photos(*some), "style/category"), min_images=3)
    taxonomy = Catalogue(DATA).taxonomy()
    assert (taxonomy.names("style"), taxonomy.names("category")) == (("plain",), ("hat",))
    told = result.describe()
    assert "category: 1 label (hat 3); 1 image without" in told
    assert "Emptied category labels (fewer than 3 images): cup 1, sofa 1" in told
    assert "1 x style odd and category cup became empty: no label is left" in told
    assert (result.added, len(result.left_out)) == (4, 1)
    assert len(contents(DATA / "images")) == 4


def test_rare_counts_what_is_there_already(photos: Photos, bring_in: BringIn) -> None:
    bring_in(Folder(photos("hat/a.jpg", "hat/b.jpg"), None))
    result = bring_in(
        Folder(photos("hat/c.jpg", folder="other", first=7), None), append=True, min_images=3
    )
    assert result.added == 1
    assert rows()[2] == ("images/hat/c.jpg", "hat")


def test_limit_is_spread_over_the_source(photos: Photos, bring_in: BringIn) -> None:
    spread = [f"{folder}/{i:02}.jpg" for folder in "abcd" for i in range(10)]
    result = bring_in(Folder(photos(*spread), None), limit=8)
    assert result.labels["category"] == {"a": 2, "b": 2, "c": 2, "d": 2}
    assert bring_in(Folder(Path("source"), None), limit=99, replace=True).added == 40


def test_strange_names_become_safe_ones(photos: Photos, bring_in: BringIn) -> None:
    source = photos("连衣裙 夏/a b,c.jpg", "连衣裙 夏/..d.jpg", "t-shirt/x\ny.jpg")
    (source / "连衣裙 夏/..d.jpg").rename(source / "连衣裙 夏/d\\e.jpg")
    bring_in(Folder(source, None))
    assert rows() == [
        ("images/t-shirt/x_y.jpg", "t-shirt"),
        ("images/连衣裙_夏/a_b_c.jpg", "连衣裙 夏"),
        ("images/连衣裙_夏/d/e.jpg", "连衣裙 夏"),
    ]


def test_a_damaged_catalogue_is_not_appended_to(photos: Photos, bring_in: BringIn) -> None:
    bring_in(Folder(photos("hat/a.jpg"), None))
    with (DATA / "manifest.csv").open("a") as file:
        file.write("images/b.jpg,,sofa,,,\n")
    before = contents(DATA)
    with pytest.raises(DataError, match=r"manifest.csv line 3: category 'sofa'"):
        bring_in(Folder(photos("hat/b.jpg", folder="other"), None), append=True)
    assert contents(DATA) == before


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_nothing_is_written_through_links(
    link: Callable[[Path, Path], None], photos: Photos, bring_in: BringIn, workplace: Path
) -> None:
    """DVC may have made data/ of links into its cache."""
    bring_in(Folder(photos("hat/a.jpg", "shoe/b.jpg"), None))
    cache = workplace / "cache"
    DATA.rename(cache)
    for path in sorted(cache.rglob("*")):
        target = workplace / DATA / path.relative_to(cache)
        if path.is_dir():
            target.mkdir(parents=True)
        else:
            path.chmod(0o444)
            target.parent.mkdir(parents=True, exist_ok=True)
            link(path, target)
    before = contents(cache)
    bring_in(Folder(photos("shoe/b.jpg", folder="other", first=7), None), append=True)
    assert contents(cache) == before
    assert len(rows()) == 3
    assert len(contents(DATA / "images")) == 3
    bring_in(Folder(Path("other"), None), replace=True)
    assert contents(cache) == before
    assert len(rows()) == 1


@pytest.mark.integration
@pytest.mark.parametrize("link", ["hardlink", "symlink"])
def test_dvc_cache_stays_as_it_is(link: str, photos: Photos, bring_in: BringIn) -> None:
    def dvc(*words: str) -> None:
        environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
        command = [sys.executable, "-m", "dvc", *words, "--quiet"]
        subprocess.run(command, check=True, env=environment)

    dvc("init", "--no-scm")
    dvc("config", "cache.type", link)
    bring_in(Folder(photos("hat/a.jpg", "shoe/b.jpg"), None))
    dvc("add", "data")
    before = contents(Path(".dvc/cache"))
    bring_in(Folder(photos("shoe/b.jpg", folder="other", first=7), None), append=True)
    assert contents(Path(".dvc/cache")) == before
    dvc("add", "data")
    assert contents(Path(".dvc/cache")).items() > before.items()
    assert len(rows()) == 3


def test_append_copies_where_links_are_impossible(
    photos: Photos, bring_in: BringIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in(Folder(photos("hat/a.jpg"), None))
    before = contents(DATA / "images")

    def refuse(source: str, target: str) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(pictures.os, "link", refuse)
    bring_in(Folder(photos("hat/b.jpg", folder="other", first=7), None), append=True)
    assert contents(DATA / "images").items() > before.items()


@pytest.mark.slow
@pytest.mark.parametrize("mode", [[], ["--append"], ["--replace"]])
def test_killed_import_leaves_the_old_data_whole(
    mode: list[str], photos: Photos, bring_in: BringIn, workplace: Path
) -> None:
    if mode:
        bring_in(Folder(photos("hat/a.jpg", "shoe/b.jpg"), None))
        before = contents(DATA)
    many = photos(*(f"hat/{i}.jpg" for i in range(1500)), folder="many", first=10)
    Path("params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    run = "from vitrine.cli import main; main()"
    command = [sys.executable, "-c", run, "import", "folder", str(many), *mode]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not any(workplace.glob(".data.*.tmp/images/hat/1*.jpg")):
        assert process.poll() is None, process.stdout.read().decode()
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if mode:
        assert contents(DATA) == before
    else:
        assert not DATA.exists()
    result = bring_in(Folder(many, None), replace=True, limit=3)
    assert "A killed import left" in result.describe()


def test_a_full_disk_leaves_the_old_data_whole(
    photos: Photos, bring_in: BringIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in(Folder(photos("hat/a.jpg"), None))
    before = contents(DATA)
    more = photos("shoe/b.jpg", folder="other", first=7)

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vitrine.importers.intake.place", full)
    with pytest.raises(OSError, match="No space left"):
        bring_in(Folder(more, None), replace=True)
    assert contents(DATA) == before
    assert names(Path()) == ["data", "other", "source"]
