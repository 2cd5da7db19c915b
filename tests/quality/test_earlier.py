import hashlib
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from clones import ROOT, Clone, environment
from vitrine.core.errors import DataError
from vitrine.core.manifest import ManifestWriter, Row
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.quality.earlier import Earlier, NotCompared, find_earlier
from vitrine.quality.earlier_data import EarlierData
from vitrine.quality.earlier_table import MEASURED, Loaded, facts_reader, load_earlier

pytestmark = [pytest.mark.slow, pytest.mark.integration]

TAXONOMY = Taxonomy(styles=(Label(name="vintage"),), categories=(Label(name="home"),))
FIRST = {"images/a.png": b"a", "images/b.png": b"b", "images/deep/ü {x}, y.png": b"c"}
SECOND = {"images/a.png": b"other a", "images/b.png": b"b", "images/d.png": b"b"}


def _write(repository: Path, images: dict[str, bytes]) -> None:
    data = repository / "data"
    shutil.rmtree(data, ignore_errors=True)
    with ManifestWriter(data / "manifest.csv") as manifest:
        for image, content in images.items():
            (data / image).parent.mkdir(parents=True, exist_ok=True)
            (data / image).write_bytes(content)
            manifest.write(Row(image, "vintage"))
    TAXONOMY.save(data / "taxonomy.yaml")


def _commit(repository: Clone, message: str) -> str:
    repository.run("git", "add", "--all")
    repository.run("git", "commit", "--quiet", "--message", message)
    return repository.run("git", "rev-parse", "HEAD").strip()


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A repository: a commit without data, two versions of the data, and a commit after them."""
    folder = tmp_path_factory.mktemp("origin")
    repository = Clone(folder / "shop", environment(folder, ROOT))
    repository.path.mkdir()
    repository.run("git", "init", "--quiet")
    repository.run("dvc", "init", "--quiet")
    repository.run("dvc", "config", "core.analytics", "false")
    repository.run("dvc", "remote", "add", "--default", "store", "store")
    (repository.path / ".gitignore").write_text("/store\n")
    _commit(repository, "nothing")
    repository.run("git", "tag", "empty")
    for version, images in (("first", FIRST), ("second", SECOND)):
        _write(repository.path, images)
        repository.run("dvc", "add", "--quiet", "data")
        repository.run("dvc", "push", "--quiet")
        _commit(repository, version)
        repository.run("git", "tag", version)
    (repository.path / "notes.md").write_text("other work\n")
    _commit(repository, "notes")
    return repository


@pytest.fixture
def shop(origin: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A copy of the repository, which is the working directory."""
    copy = origin.copied(tmp_path / "shop")
    monkeypatch.chdir(copy.path)
    return copy


def _hash(repository: Clone, revision: str) -> str:
    return repository.run("git", "rev-parse", revision).strip()


def _found(compare_with: str) -> Earlier:
    found = find_earlier(compare_with)
    assert isinstance(found, Earlier), found
    return found


def _reason(compare_with: str) -> str:
    found = find_earlier(compare_with)
    assert isinstance(found, NotCompared), found
    return found.reason


def test_previous_is_the_newest_commit_with_another_version(shop: Clone) -> None:
    assert _found("previous").commit == _hash(shop, "first")
    # Changed and not committed: what HEAD names.
    third = (shop.path / "data.dvc").read_text().replace("md5: ", "md5: 0")
    (shop.path / "data.dvc").write_text(third)
    assert _found("previous").commit == _hash(shop, "second")
    _commit(shop, "third")
    assert _found("previous").commit == _hash(shop, "second")
    # An older version that came back.
    shop.run("git", "checkout", "--quiet", "first", "--", "data.dvc")
    _commit(shop, "first again")
    assert _found("previous").digest.startswith("0")


def test_a_revision_is_taken_by_its_name(shop: Clone) -> None:
    found = _found("first")
    assert found.commit == _hash(shop, "first")
    assert found.digest in shop.run("git", "show", "first:data.dvc")
    assert str(found) == f"commit {found.commit[:7]} of {found.date}"
    assert _found("HEAD~2") == found
    assert _reason("second") == "second names the same version of the data as data.dvc does"


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        ("v9", "compare_with must be previous, none or a git revision, but git knows no 'v9'"),
        ("--all", "git knows no '--all'; name a commit, branch or tag"),
        ("empty", "compare_with names 'empty', but its data.dvc names no version of the data"),
    ],
)
def test_a_wrong_revision_is_an_error(shop: Clone, revision: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        find_earlier(revision)


def test_nothing_is_compared_for_a_reason(
    shop: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _reason("none") == "compare_with is none in params.yaml"
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "")
        assert _reason("previous") == "git is not installed"
    shop.run("git", "checkout", "--quiet", "first")
    assert _reason("previous") == "no commit names another version of the data than data.dvc does"
    (shop.path / "data.dvc").unlink()
    assert _reason("previous").startswith("data.dvc is missing: version the data with `dvc add")

    shop.run("git", "clone", "--quiet", "--depth", "1", f"file://{shop.path}", str(tmp_path / "s"))
    monkeypatch.chdir(tmp_path / "s")
    assert _reason("previous") == (
        "this shallow clone holds no commit with another data.dvc; "
        "fetch the others with `git fetch --unshallow`"
    )
    with pytest.raises(DataError, match="or fetch it: this is a shallow clone"):
        find_earlier("second")

    shutil.rmtree(tmp_path / "s" / ".git")
    assert _reason("previous").startswith("git has no history here (not a git repository")
    shop.run("git", "init", "--quiet", str(tmp_path / "s"))
    assert _reason("previous") == "the git repository has no commit yet"


def test_the_earlier_version_is_read(shop: Clone) -> None:
    with EarlierData(_found("previous")) as data:
        assert [row.image for row in data.rows()] == list(FIRST)
        assert data.taxonomy() == TAXONOMY
        digests = dict(data.digests())
        assert digests.keys() == {*FIRST, "manifest.csv", "taxonomy.yaml"}
        for image, content in FIRST.items():
            assert digests[image] == hashlib.md5(content).hexdigest()
            assert data.read(digests[image]) == content


def test_what_is_not_in_the_cache_comes_from_the_remote(shop: Clone) -> None:
    shutil.rmtree(shop.path / ".dvc" / "cache")
    with EarlierData(_found("previous")) as data:
        assert [row.image for row in data.rows()] == list(FIRST)
        assert data.read(hashlib.md5(b"a").hexdigest()) == b"a"
    # Where it lay when the version was made is of no importance.
    (shop.path / "store").rename(shop.path / "moved")
    shop.run("dvc", "remote", "modify", "store", "url", str(shop.path / "moved"))
    with EarlierData(_found("previous")) as data:
        assert data.taxonomy() == TAXONOMY


def _known(connection: sqlite3.Connection, images: dict[str, bytes]) -> None:
    """Make the table `images`, as today's validation does; brightness = the length."""
    columns = ", ".join(("image", "md5", "style", "category", *MEASURED))
    connection.execute(f"CREATE TABLE images ({columns})")
    connection.executemany(
        "INSERT INTO images (image, md5, brightness) VALUES (?, ?, ?)",
        [(name, hashlib.md5(data).hexdigest(), len(data)) for name, data in images.items()],
    )


def _measured(digest: str, brightness: float) -> SimpleNamespace:
    return SimpleNamespace(md5=digest, **{**dict.fromkeys(MEASURED), "brightness": brightness})


def _load(connection: sqlite3.Connection, data: EarlierData) -> Loaded | NotCompared:
    def known(digests: Sequence[str]) -> dict[str, SimpleNamespace]:
        kept = hashlib.md5(b"a").hexdigest()
        return {kept: _measured(kept, 50)} if kept in digests else {}

    def measure(content: bytes, image: str) -> SimpleNamespace:
        return _measured(hashlib.md5(content).hexdigest(), 99)

    facts_of = facts_reader(known, data.read, measure, kept.extend, workers=2)
    kept.clear()
    return load_earlier(connection, data, facts_of)


kept: list[SimpleNamespace] = []


def test_the_table_takes_facts_from_today_from_before_and_from_the_bytes(shop: Clone) -> None:
    connection = sqlite3.connect(":memory:")
    _known(connection, SECOND)
    with EarlierData(_found("previous")) as data:
        assert _load(connection, data) == Loaded(images=3, unmeasured=0)
    rows = connection.execute("SELECT image, style, category, brightness FROM earlier_images")
    assert rows.fetchall() == [
        ("images/a.png", "vintage", "", 50),  # kept from an earlier run
        ("images/b.png", "vintage", "", 1),  # as today's
        ("images/deep/ü {x}, y.png", "vintage", "", 99),  # measured
    ]
    assert [one.md5 for one in kept] == [hashlib.md5(b"c").hexdigest()]
    connection.close()


def test_threads_fetch_from_the_remote(shop: Clone) -> None:
    for path in (shop.path / ".dvc" / "cache").rglob("*"):
        if path.is_file() and path.suffix != ".dir":
            path.unlink()
    connection = sqlite3.connect(":memory:")
    _known(connection, {})
    with EarlierData(_found("previous")) as data:
        assert _load(connection, data) == Loaded(images=3, unmeasured=0)
    assert len(kept) == 2
    connection.close()


def test_files_of_dvc_before_3_lie_elsewhere(shop: Clone) -> None:
    cache = shop.path / ".dvc" / "cache"
    for folder in (cache / "files" / "md5").iterdir():
        folder.rename(cache / folder.name)
    pointer = shop.path / "data.dvc"
    pointer.write_text(pointer.read_text().replace("  hash: md5\n", ""))
    shop.run("git", "commit", "--quiet", "--all", "--message", "as DVC 2 wrote it")
    shop.run("git", "checkout", "--quiet", "first", "--", "data.dvc")
    with EarlierData(_found("previous")) as data:
        assert data.version.hash_name == "md5-dos2unix"
        assert [row.image for row in data.rows()] == list(SECOND)


def test_files_that_cannot_be_had_stay_without_facts(shop: Clone) -> None:
    digest = hashlib.md5(b"c").hexdigest()
    for store in (".dvc/cache", "store"):
        (shop.path / store / "files" / "md5" / digest[:2] / digest[2:]).unlink()
    connection = sqlite3.connect(":memory:")
    _known(connection, SECOND)
    with EarlierData(_found("previous")) as data:
        assert _load(connection, data) == Loaded(images=3, unmeasured=1)
    connection.close()


@pytest.mark.parametrize(
    ("break_remote", "words"),
    [
        (["dvc", "gc", "--workspace", "--cloud", "--force"], "and not in the remote either; where"),
        (
            ["dvc", "remote", "remove", "store"],
            "and there is no remote; where it is, `git checkout ",
        ),
        (
            ["dvc", "remote", "modify", "store", "url", "s3://no/such"],
            "and the remote cannot be used",
        ),
    ],
)
def test_a_version_that_is_gone_is_a_reason(
    shop: Clone, break_remote: list[str], words: str
) -> None:
    shop.run("dvc", "gc", "--workspace", "--force")
    shop.run(*break_remote)
    connection = sqlite3.connect(":memory:")
    _known(connection, SECOND)
    version = _found("previous")
    with EarlierData(version) as data:
        found = _load(connection, data)
    assert isinstance(found, NotCompared)
    assert found.reason.startswith(f"{version}: its list of files ({version.digest}) is not in DVC")
    assert words in found.reason
    assert not connection.execute("SELECT * FROM earlier_images").fetchall()
    connection.close()


def test_a_damaged_version_is_a_reason(shop: Clone) -> None:
    version = _found("previous")
    path = shop.path / ".dvc" / "cache" / "files" / "md5" / version.digest[:2] / version.digest[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-40])
    connection = sqlite3.connect(":memory:")
    _known(connection, SECOND)
    with EarlierData(version) as data:
        found = _load(connection, data)
    assert found == NotCompared(f"{version}: its list of files is damaged: it ends too early")
    connection.close()


def test_an_earlier_manifest_of_another_form_is_a_reason(shop: Clone) -> None:
    (shop.path / "data" / "manifest.csv").write_text("path,label\nimages/a.png,home\n")
    shop.run("dvc", "add", "--quiet", "data")
    _commit(shop, "another form")
    shop.run("git", "checkout", "--quiet", "second", "--", "data.dvc")
    version = _found("previous")
    connection = sqlite3.connect(":memory:")
    _known(connection, SECOND)
    with EarlierData(version) as data:
        found = _load(connection, data)
    assert isinstance(found, NotCompared)
    assert f"manifest.csv of {version} line 1: has no column 'image'" in found.reason
    connection.close()


STAGE = """
from pathlib import Path
from vitrine.quality.earlier import find_earlier
from vitrine.quality.earlier_data import EarlierData

with EarlierData(find_earlier("previous")) as data:
    Path("seen.txt").write_text("".join(f"{row.image}\\n" for row in data.rows()))
"""


def test_a_stage_of_dvc_repro_sees_the_version_before_the_data_on_disk(shop: Clone) -> None:
    (shop.path / "stage.py").write_text(STAGE)
    stage = "dvc stage add --quiet --name validate --deps data --outs seen.txt python stage.py"
    shop.run(*stage.split())
    shop.run("dvc", "repro")
    assert (shop.path / "seen.txt").read_text().splitlines() == list(FIRST)
    # Data that changed without `dvc add`: repro brings data.dvc up to date first.
    _write(shop.path, {"images/z.png": b"z"})
    shop.run("dvc", "repro")
    assert (shop.path / "seen.txt").read_text().splitlines() == list(SECOND)
    _commit(shop, "third")
    shop.run("dvc", "repro", "--force")
    assert (shop.path / "seen.txt").read_text().splitlines() == list(SECOND)
