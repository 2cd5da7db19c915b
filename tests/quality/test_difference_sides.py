"""`vitrine diff` on a real repository of git and DVC."""

import csv
import hashlib
import json
import os
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from browser import chromium_page
from clones import ROOT, Clone, environment
from vitrine.cli import app
from vitrine.core.errors import DataError
from vitrine.core.manifest import ManifestWriter, Row
from vitrine.core.params import ImageParams, override
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.quality.difference import AtCommit, resolve

pytestmark = [pytest.mark.slow, pytest.mark.integration]

TAXONOMY = Taxonomy(
    styles=(Label(name="vintage"), Label(name="modern")), categories=(Label(name="home"),)
)
RED, GREEN, BLUE = (200, 0, 0), (0, 160, 0), (0, 0, 200)
FIRST = {"images/a.png": RED, "images/b.png": GREEN, "images/old ü, x.png": BLUE}
SECOND = {"images/a.png": GREEN, "images/b.png": GREEN, "images/new.png": BLUE}


def _png(color: tuple[int, int, int]) -> bytes:
    file = BytesIO()
    Image.new("RGB", (32, 32), color).save(file, "PNG")
    return file.getvalue()


def _write(repository: Path, images: dict[str, tuple[int, int, int]], style: str) -> None:
    data = repository / "data"
    shutil.rmtree(data, ignore_errors=True)
    with ManifestWriter(data / "manifest.csv") as manifest:
        for image, color in images.items():
            (data / image).parent.mkdir(parents=True, exist_ok=True)
            (data / image).write_bytes(_png(color))
            manifest.write(Row(image, style if image.endswith("b.png") else "vintage"))
    TAXONOMY.save(data / "taxonomy.yaml")
    (data / "ignored.tmp").write_text("what .dvcignore names")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A repository: a commit without data, and two versions of the data in a remote."""
    folder = tmp_path_factory.mktemp("origin")
    repository = Clone(folder / "shop", environment(folder, ROOT))
    repository.path.mkdir()
    repository.run("git", "init", "--quiet")
    repository.run("dvc", "init", "--quiet")
    repository.run("dvc", "remote", "add", "--quiet", "--default", "store", "store")
    (repository.path / ".gitignore").write_text("/store\n/.cache\n/reports/diff\n")
    (repository.path / ".dvcignore").write_text("*.tmp\n")
    shutil.copyfile(ROOT / "params.yaml", repository.path / "params.yaml")
    repository.run("git", "add", "--all")
    repository.run("git", "commit", "--quiet", "--message", "nothing")
    repository.run("git", "tag", "empty")
    metrics = repository.path / "reports" / "validate" / "metrics.json"
    metrics.parent.mkdir(parents=True)
    for version, images, style in (("first", FIRST, "vintage"), ("second", SECOND, "modern")):
        _write(repository.path, images, style)
        metrics.write_text(json.dumps({"images": 3, "blurry": len(version)}))
        repository.run("dvc", "add", "--quiet", "data")
        repository.run("git", "add", "--all")
        repository.run("git", "commit", "--quiet", "--message", version)
        repository.run("git", "tag", version)
        repository.run("dvc", "push", "--quiet")
    return repository


@pytest.fixture
def shop(origin: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A copy of the repository, which is the working directory."""
    copy = origin.copied(tmp_path / "shop")
    monkeypatch.chdir(copy.path)
    return copy


def _diff(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, ["diff", *arguments])
    if status != 1 and isinstance(result.exception, DataError):
        raise result.exception
    assert result.exit_code == status, result.output
    return result


def _json(*arguments: str, status: int = 0) -> dict[str, object]:
    return json.loads(_diff("--format", "json", *arguments, status=status).output)


def _kinds(document: dict[str, object]) -> dict[str, object]:
    kinds = ("added", "removed", "renamed", "replaced", "relabelled", "edited", "duplicates")
    return {kind: document[kind] for kind in kinds if document[kind]}


CHANGED = {"renamed": 1, "replaced": 1, "relabelled": 1, "duplicates": 1}


def test_two_revisions_are_compared_without_the_folder(shop: Clone) -> None:
    shutil.rmtree(shop.path / "data")
    document = _json("first", "second")
    assert _kinds(document) == CHANGED
    assert document["validate"] == [{"name": "blurry", "before": 5, "after": 6}]
    assert not (shop.path / "data").exists()
    back = _json("second", "first")
    assert _kinds(back) == {"renamed": 1, "replaced": 1, "relabelled": 1}
    with pytest.raises(DataError, match=r"data/ is missing: fetch it with `dvc pull data.dvc`"):
        _diff("first")


def test_the_folder_is_compared_as_it_lies(shop: Clone) -> None:
    clean = _json("--exit-code")
    assert not clean["changed"]
    assert clean["notes"] == []
    (shop.path / "data" / "images" / "a.png").write_bytes(_png(RED))
    (shop.path / "data" / "manifest.csv").write_text(
        (shop.path / "data" / "manifest.csv").read_text() + "images/gone.png,,,,,\n"
    )
    dirty = _json("--exit-code", status=3)
    assert _kinds(dirty) == {"added": 1, "replaced": 1}
    assert dirty["notes"] == [
        "Rows of the folder data/ that name an image without a file: 1.",
        "The folder is not what data.dvc names: `dvc add data` versions it as it lies.",
    ]


def test_all_reports_are_written(shop: Clone) -> None:
    text = _diff("first").output
    assert "renamed     1  the same bytes under another name" in text
    assert "style  vintage  3       2    -1" in text
    assert "blurry    5       6" in text
    assert "The data changed: 1 renamed, 1 replaced, 1 relabelled, 1 duplicates." in text
    folder = shop.path / "reports" / "diff"
    assert (
        _diff("first", "--format", "md").output.strip() == (folder / "diff.md").read_text().strip()
    )
    assert "![Pictures: replaced, 1 of 1](replaced.jpg)" in (folder / "diff.md").read_text()
    with (folder / "changes.csv").open(newline="") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    assert rows["images/new.png"]["earlier_image"] == "images/old ü, x.png"
    assert rows["images/a.png"]["repeats"] == "images/b.png"
    with Image.open(folder / "replaced.jpg") as sheet:
        before, now = (sheet.getpixel((x, sheet.height // 2)) for x in (72, 208))
        assert before[0] > 150 > now[0]  # red, then green
        assert now[1] > 120 > before[1]
    _diff("first", "first")
    assert not list(folder.glob("*.jpg"))


def test_the_page_needs_nothing_and_describes_its_pictures(shop: Clone) -> None:
    _diff("first")
    with chromium_page(width=400) as visit:
        visit.page.goto((shop.path / "reports" / "diff" / "index.html").as_uri())
        alts = visit.page.eval_on_selector_all("img", "all => all.map(one => one.alt)")
        assert "images/a.png, vintage / ?, before" in alts
        assert "images/b.png, vintage / ? → modern / ?, relabelled" in alts
        wide = visit.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide
    assert not visit.refused
    assert not visit.faults


def test_what_is_not_in_the_cache_comes_from_the_remote(shop: Clone) -> None:
    shutil.rmtree(shop.path / ".dvc" / "cache")
    _diff("first", "second")
    assert len(list((shop.path / "reports" / "diff").glob("*.jpg"))) == 4


def test_without_pictures_the_text_is_whole(shop: Clone) -> None:
    shutil.rmtree(shop.path / "data")
    for store in (".dvc/cache", "store"):
        for path in (shop.path / store).rglob("*"):
            if path.is_file() and path.read_bytes().startswith(b"\x89PNG"):
                path.unlink()
    result = _diff("first", "second")
    assert "The data changed: 1 renamed, 1 replaced, 1 relabelled, 1 duplicates." in result.output
    assert "5 pictures cannot be shown: commit " in result.output
    assert "&& dvc push` sends it to the remote." in result.output


def test_a_version_that_is_gone_is_an_error(shop: Clone) -> None:
    for store in (".dvc/cache", "store"):
        shutil.rmtree(shop.path / store / "files")
    with pytest.raises(DataError, match="its list of files .* is not in DVC's cache, and not in"):
        _diff("first", "second")


@pytest.mark.parametrize(
    ("revisions", "words"),
    [
        (["v9"], "git knows no revision 'v9' here; name a commit, branch or tag"),
        (["first", ""], "git knows no revision ''"),
        (["--", "--all"], "git knows no revision '--all' here"),
        (["empty"], "empty has no data.dvc that names a version of the data; choose one of"),
        (["first", "empty"], "empty has no data.dvc"),
    ],
)
def test_a_wrong_revision_is_an_error(shop: Clone, revisions: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        _diff(*revisions)


def test_a_repository_that_git_refuses_is_an_error(
    shop: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    with pytest.raises(DataError, match=r"dubious ownership .* git config --global --add safe"):
        _diff("first", "second")


def test_of_a_large_file_no_more_is_read_than_is_refused(shop: Clone, small: ImageParams) -> None:
    limits = override(small, {"max_bytes": 1024})
    image = shop.path / "data" / "images" / "b.png"
    image.write_bytes(b"x" * 5000)
    shop.run("dvc", "add", "--quiet", "data")
    digest = hashlib.md5(image.read_bytes()).hexdigest()
    with AtCommit(resolve("second")) as side:
        assert side.bytes_of("images/b.png", digest, limits) == b"x" * 1025


def test_without_git_the_reason_is_said(shop: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="git is not installed"):
        _diff("first")
