"""`vitrine affected` on a real repository of git and DVC."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from clones import ROOT, Clone, environment
from vitrine.cli import affected
from vitrine.core.errors import DataError
from vitrine.core.manifest import ManifestWriter, Row
from vitrine.core.taxonomy import Label, Taxonomy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:_NoneStep.value will soon:DeprecationWarning"),  # dpath, DVC
]

PIPELINE = """
stages:
  validate:
    cmd: cat data/manifest.csv > artifacts/validate
    deps: [data, src/checks]
    outs: [artifacts/validate]
  train:
    cmd: cat artifacts/validate params.yaml > artifacts/train && wc -l params.yaml > metrics.txt
    deps: [artifacts/validate, src/fit.py]
    params: [train]
    outs: [artifacts/train]
    metrics: [{metrics.txt: {cache: false}}]
  register:
    cmd: cat artifacts/train artifacts/validate > artifacts/register
    deps: [artifacts/train, artifacts/validate, src/gate.py]
    params: [gate.margin]
    outs: [artifacts/register]
"""
PARAMS = (
    "train: {epochs: 14, augment: {flip: true}}\ngate: {margin: 0.1, note: no key of a stage}\n"
)
FILES = {
    "dvc.yaml": PIPELINE,
    "params.yaml": PARAMS,
    "artifacts/.gitignore": "",
    "src/checks/__init__.py": '"""Checks."""\n',
    "src/checks/pixels.py": "LIMIT = 3\n",
    "src/checks/page.css": "a {}\n",
    "src/fit.py": '"""Fit."""\n\nSTEPS = 2\n',
    "src/gate.py": "MARGIN = 1\n",
    ".gitignore": "/store\n/.cache\n/reports\n__pycache__\n",
    ".dvcignore": "__pycache__\nstore\n",
}
TAXONOMY = Taxonomy(
    styles=(Label(name="vintage"), Label(name="modern")), categories=(Label(name="home"),)
)
FIRST = {"images/a.png": "vintage", "images/b.png": "modern"}
ALL = {
    "train": ["after validate"],
    "register": ["after train"],
}


def _write_data(repository: Path, images: dict[str, str]) -> None:
    """Make data/ anew; what an image is is the last letter of its name."""
    data = repository / "data"
    shutil.rmtree(data, ignore_errors=True)
    with ManifestWriter(data / "manifest.csv") as manifest:
        for image, style in images.items():
            (data / image).parent.mkdir(parents=True, exist_ok=True)
            (data / image).write_text(Path(image).stem[-1])
            manifest.write(Row(image, style))
    TAXONOMY.save(data / "taxonomy.yaml")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A repository whose pipeline has run; dvc.lock is committed, all is in the remote."""
    folder = tmp_path_factory.mktemp("origin")
    repository = Clone(folder / "shop", environment(folder, ROOT))
    for name, text in FILES.items():
        path = repository.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    repository.run("git", "init", "--quiet")
    repository.run("dvc", "init", "--quiet")
    repository.run("dvc", "remote", "add", "--quiet", "--default", "store", "store")
    _write_data(repository.path, FIRST)
    repository.run("dvc", "add", "--quiet", "data")
    repository.run("dvc", "repro", "--quiet")
    repository.run("dvc", "push", "--quiet")
    _commit(repository, "first")
    shutil.rmtree(repository.path / "data")
    shutil.rmtree(repository.path / ".dvc" / "tmp")
    return repository


@pytest.fixture
def shop(origin: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A copy of the repository, without data/, which is the working directory."""
    copy = origin.copied(tmp_path / "shop")
    monkeypatch.chdir(copy.path)
    return copy


def _commit(repository: Clone, message: str) -> None:
    repository.run("git", "add", "--all")
    repository.run("git", "commit", "--quiet", "--message", message)


def _affected(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(affected.command)
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, DataError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def _json() -> dict[str, object]:
    document = json.loads(_affected("--format", "json"))
    assert json.loads(Path("reports/affected/affected.json").read_text()) == document
    return document


def _edit(name: str, old: str, new: str) -> None:
    text = Path(name).read_text()
    assert old in text
    Path(name).write_text(text.replace(old, new))


def test_nothing_has_to_run_after_a_run(shop: Clone) -> None:
    commit = shop.run("git", "rev-parse", "HEAD").strip()
    assert _json() == {
        "run": False,
        "train": False,
        "images": 2,
        "baseline": commit,
        "stages": {},
        "besides": [],
        "ignored": [],
        "notes": [],
    }
    assert _affected() == "Nothing has to run: dvc.lock is up to date.\n"


def test_comments_and_docstrings_train_nothing(shop: Clone) -> None:
    _edit("src/fit.py", "Fit.", "Fit the network.")
    _edit("src/checks/pixels.py", "3", "3  # at most")
    Path("src/checks/__pycache__").mkdir()
    Path("src/checks/__pycache__/pixels.pyc").write_bytes(b"\0")
    _commit(shop, "words")
    _edit("src/fit.py", "STEPS", "# so many\nSTEPS")
    document = _json()
    assert not document["run"]
    assert document["ignored"] == [
        "src/checks/pixels.py: only comments, docstrings or layout",
        "src/fit.py: only comments, docstrings or layout",
    ]
    assert document["besides"] == ["validate", "train"]
    assert _affected().endswith(
        "Nothing has to run: dvc.lock is up to date but for what is not counted.\n"
    )


def test_code_and_what_needs_its_outputs_have_to_run(shop: Clone) -> None:
    _edit("src/checks/page.css", "{}", "{ }")
    Path("src/checks/sizes.py").touch()
    Path("src/checks/__init__.py").unlink()
    _edit("src/gate.py", "1", "2")
    document = _json()
    assert document["stages"] == {
        "validate": [
            "src/checks/__init__.py: gone",
            "src/checks/page.css: changed",
            "src/checks/sizes.py: new",
        ],
        **ALL,
        "register": ["src/gate.py: changed", "after train"],
    }
    assert document["train"]
    assert _affected().splitlines() == [
        "validate  src/checks/__init__.py: gone",
        "          src/checks/page.css: changed",
        "          src/checks/sizes.py: new",
        "train     after validate",
        "register  src/gate.py: changed",
        "          after train",
        "Run `dvc repro`.",
    ]


def test_settings_count_by_their_values(shop: Clone) -> None:
    Path("params.yaml").write_text(
        "# Another order.\ngate:\n  margin: 0.10\n  note: other\n"
        "train:\n  augment: {flip: true}\n  epochs: 14\n"
    )
    assert not _json()["run"]
    _edit("params.yaml", "epochs: 14", "epochs: 20\n  seed: 1")
    assert _json()["stages"] == {
        "train": ["params: train.epochs 14 → 20, train.seed is new"],
        "register": ["after train"],
    }
    Path("params.yaml").unlink()
    assert _json()["stages"]["train"] == ["params.yaml: missing"]


@pytest.mark.parametrize(
    ("images", "reasons", "ignored"),
    [
        ({**FIRST, "images/c.png": "modern"}, ["data: 1 added"], []),
        (
            {"images/a.png": "modern", "images/b.png": "modern"},
            ["data: 1 relabelled"],
            [],
        ),
        ({**FIRST, "images/copy-a.png": "vintage"}, [], ["data: only duplicates were added"]),
        (
            dict(reversed(FIRST.items())),
            [],
            ["data: only how its rows are ordered or written"],
        ),
    ],
    ids=["added", "relabelled", "duplicates", "order"],
)
def test_the_data_is_looked_at(
    shop: Clone,
    images: dict[str, str],
    reasons: Sequence[str],
    ignored: Sequence[str],
) -> None:
    _write_data(shop.path, images)
    shop.run("dvc", "add", "--quiet", "data")
    _commit(shop, "data")
    shutil.rmtree("data")
    document = _json()
    assert document["stages"] == ({"validate": reasons, **ALL} if reasons else {})
    assert document["ignored"] == ignored
    assert document["images"] == len(images)
    assert document["notes"] == []
    assert not Path("data").exists()


def test_the_folder_counts_before_it_is_versioned_or_committed(shop: Clone) -> None:
    _write_data(shop.path, FIRST)
    assert not _json()["run"]
    Path("data/images/a.png").write_text("other")
    expected = {"validate": ["data: 1 replaced"], **ALL}
    assert _json()["stages"] == expected
    shop.run("dvc", "add", "--quiet", "data")
    assert _json()["stages"] == expected


def test_data_that_cannot_be_compared_counts(shop: Clone) -> None:
    _edit("data.dvc", "- md5: ", "- md5: 0")
    document = _json()
    unseen = {"validate": ["data: another version; what differs cannot be seen"], **ALL}
    assert document["stages"] == unseen
    assert document["images"] is None
    assert document["notes"] == [
        "the versions of data cannot be compared: data.dvc is not committed, and data/ is not here"
    ]
    _commit(shop, "gone")
    document = _json()
    assert document["stages"] == unseen
    assert "its list of files (0" in document["notes"][0]


def test_a_run_that_was_not_committed_is_compared_by_digests(shop: Clone) -> None:
    shop.run("dvc", "pull", "--quiet")
    _edit("src/fit.py", "2", "3")
    shop.run("dvc", "repro", "--quiet")
    document = _json()
    assert not document["run"]
    assert document["baseline"] is None
    _edit("src/fit.py", "3", "3  # steps")
    assert _json()["stages"]["train"] == [
        "src/fit.py: changed; what it was is not in git's history"
    ]


def test_dvc_yaml_itself_counts(shop: Clone) -> None:
    tree = yaml.safe_load(PIPELINE)
    stages = tree["stages"]
    stages["validate"]["deps"].append("src/gate.py")
    stages["train"]["cmd"] += " && true"
    stages["register"]["frozen"] = True
    stages["report"] = {"cmd": "touch page", "deps": ["artifacts/register"], "outs": ["page"]}
    stages["watch"] = {"cmd": "true", "deps": ["src/gate.py"], "always_changed": True}
    Path("dvc.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    assert _json()["stages"] == {
        "validate": ["src/gate.py: new among what it needs"],
        "train": [f"another command: {stages['train']['cmd']}", "after validate"],
        "report": ["not in dvc.lock: it has not run yet"],
        "watch": ["not in dvc.lock: it has not run yet"],
    }


def test_a_report_in_git_that_is_not_the_runs_counts(shop: Clone) -> None:
    Path("metrics.txt").write_text("of another branch\n")
    assert _json()["stages"] == {
        "train": ["metrics.txt: not as dvc.lock has it"],
        "register": ["after train"],
    }


def test_without_a_lock_all_has_to_run(shop: Clone) -> None:
    Path("dvc.lock").unlink()
    reasons = ["no dvc.lock: nothing was recorded yet"]
    assert _json()["stages"] == {"validate": reasons, "train": reasons, "register": reasons}


def test_without_git_only_digests_are_compared(shop: Clone) -> None:
    shutil.rmtree(".git")
    shop.run("dvc", "config", "core.no_scm", "true")
    assert not _json()["run"]
    _edit("src/fit.py", "2", "2 # two")
    assert _json()["stages"] == {
        "train": ["src/fit.py: changed; what it was is not in git's history"],
        "register": ["after train"],
    }


def test_git_that_refuses_says_so(shop: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    _edit("src/fit.py", "2", "2 # two")
    document = _json()
    assert document["train"]
    assert document["notes"][0].startswith("git says: fatal: detected dubious ownership")


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("dvc.lock", "<<<<<<< HEAD\n", "dvc.lock line .*: the mark of a merge conflict; take one"),
        ("params.yaml", "<<<<<<< a\n", "params.yaml line 3: .* conflict; resolve it"),
        ("dvc.lock", "more: 1\n", r"cannot read the pipeline: './dvc.lock' .*data\['more'\]"),
        ("dvc.yaml", "  a: {deps: [b]}\n", "cannot read the pipeline: './dvc.yaml' .*'cmd'"),
        ("params.yaml", "[", "cannot read the pipeline: unable to read: 'params.yaml'"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(
    shop: Clone, file: str, text: str, words: str
) -> None:
    with Path(file).open("a") as opened:
        opened.write(text)
    with pytest.raises(DataError, match=words) as raised:
        _json()
    assert "\n" not in str(raised.value)


def test_it_runs_at_the_root_of_a_repository(workplace: Path) -> None:
    with pytest.raises(DataError, match=r"dvc.yaml is missing: run this at the root"):
        _json()
    Path("dvc.yaml").write_text(PIPELINE)
    with pytest.raises(DataError, match="you are not inside of a DVC repository"):
        _json()


def test_once_something_runs_what_was_passed_over_is_taken_along(shop: Clone) -> None:
    _edit("src/checks/pixels.py", "3", "3 # three")
    _edit("params.yaml", "epochs: 14", "epochs: 20")
    assert _affected().splitlines() == [
        "train     params: train.epochs 14 → 20",
        "register  after train",
        "Not counted: src/checks/pixels.py: only comments, docstrings or layout",
        "Run `dvc repro`. It takes validate along, for what is not counted.",
    ]
    printed = shop.run("dvc", "repro", "--pull", "--allow-missing")
    assert re.findall("Running stage '(.*)'", printed) == ["validate", "train", "register"]
    assert (_json()["stages"], _json()["ignored"]) == ({}, [])
