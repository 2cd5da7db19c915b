"""The champion goes from the registry into BentoML's store."""

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import yaml

from vitrine.bundle.format import digests, load_info
from vitrine.bundle.golden import read_golden, write_golden
from vitrine.core.errors import BundleError, ReleaseError, TrackingError
from vitrine.release.package import BENTOFILE, package

ROOT = Path(__file__).parents[2]
Register = Callable[..., str]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning"),  # bentoml 1.4.39
]


@pytest.fixture(scope="module", autouse=True)
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A registry and a BentoML store for this file; BentoML looks for its store only once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("stores")
        patch.setenv("BENTOML_HOME", str(folder / "bentoml"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(folder)
        yield


@pytest.fixture
def bentofile() -> Path:
    """The repository's bentofile.yaml in the working directory, with nothing pinned."""
    text = (ROOT / BENTOFILE).read_text(encoding="utf-8")
    BENTOFILE.write_text(re.sub("(?m)^models:.*$", "models: []", text), encoding="utf-8")
    return BENTOFILE


@pytest.fixture
def name() -> str:
    """A registered model of each test's own."""
    return f"model-{uuid4().hex[:8]}"


@pytest.fixture
def register(name: str, tiny_bundle: Path) -> Register:
    """Register a bundle as a version of the test's model, the champion unless told otherwise."""
    from vitrine import tracking

    def register(bundle: Path = tiny_bundle, gate: str = "passed", alias: str = "champion") -> str:
        tags = {"gate": gate, "bundle_digest": load_info(bundle).digest}
        if gate == "failed":
            tags["gate_reasons"] = "style macro F1 0.1 is below 0.4"
        with tracking.pipeline_run(None) as run:
            number = tracking.register_bundle(bundle, name, run.id, tags)
        tracking.set_alias(name, alias, number)
        return number

    return register


def stored(name: str) -> list[str]:
    import bentoml

    return [str(model.tag) for model in bentoml.models.list() if model.tag.name == name]


def pinned(bentofile: Path) -> list[dict[str, str]]:
    models: list[dict[str, str]] = yaml.safe_load(bentofile.read_text(encoding="utf-8"))["models"]
    return models


def test_the_champion_is_stored_and_pinned(
    register: Register, name: str, bentofile: Path, tiny_bundle: Path
) -> None:
    import bentoml

    number = register()
    before = bentofile.read_text(encoding="utf-8").splitlines()
    packaged = package(name)

    digest = load_info(tiny_bundle).digest
    assert packaged.tag == f"{name}:v{number}-{digest[:8]}"
    model = bentoml.models.get(packaged.tag)
    for file in tiny_bundle.iterdir():
        assert Path(model.path_of(file.name)).read_bytes() == file.read_bytes()
    assert model.info.metadata["version"] == number
    assert model.info.metadata["bundle_digest"] == digest
    assert pinned(bentofile) == [{"tag": packaged.tag, "alias": "champion"}]
    after = bentofile.read_text(encoding="utf-8").splitlines()
    assert [line for line in after if line not in before] == [
        f'models: [{{tag: "{packaged.tag}", alias: champion}}]'
    ]
    assert len(after) == len(before)
    said = packaged.describe()
    assert f"version {number} of {name} was put into BentoML's store as {packaged.tag}" in said
    assert "commit that line" in said
    assert "bentoml serve" in said


def test_doing_it_again_changes_nothing(register: Register, name: str, bentofile: Path) -> None:
    register()
    first = package(name)
    file = bentofile.stat()
    again = package(name)
    assert (again.stored, again.pinned) == (False, False)
    assert again.tag == first.tag
    assert stored(name) == [first.tag]
    assert bentofile.stat().st_mtime_ns == file.st_mtime_ns
    assert "is in BentoML's store already" in again.describe()


def test_going_back_pins_the_version_before(
    register: Register,
    name: str,
    bentofile: Path,
    make_bundle: Callable[[Path, int], Path],
    tmp_path: Path,
) -> None:
    from vitrine import tracking

    old = register()
    first = package(name)
    register(make_bundle(tmp_path / "other", 2))
    second = package(name)
    assert pinned(bentofile)[0]["tag"] == second.tag != first.tag

    tracking.set_alias(name, "champion", old)
    back = package(name)
    assert (back.tag, back.stored, back.pinned) == (first.tag, False, True)
    assert pinned(bentofile)[0]["tag"] == first.tag


def test_without_a_champion_nothing_is_packaged(
    register: Register, name: str, bentofile: Path
) -> None:
    words = "has no version with the alias champion: give it in the MLflow UI or with `vitrine"
    with pytest.raises(ReleaseError, match=words):
        package(name)
    register(alias="challenger")
    with pytest.raises(ReleaseError, match=words):
        package(name)
    assert stored(name) == pinned(bentofile) == []


def test_a_failed_gate_is_refused_unless_the_version_is_named(
    register: Register, name: str, bentofile: Path
) -> None:
    number = register(gate="failed")
    with pytest.raises(ReleaseError, match=r"did not pass the gate \(style macro F1 0.1 is below"):
        package(name)
    with pytest.raises(ReleaseError, match=f"the champion is version {number}, not 99"):
        package(name, force_failed_gate="99")
    assert stored(name) == pinned(bentofile) == []
    assert stored(name) != [package(name, force_failed_gate=number).tag] == stored(name)


def test_a_version_of_another_origin_is_refused(
    register: Register, name: str, bentofile: Path
) -> None:
    from vitrine import tracking

    number = register()
    tracking.set_version_tags(name, number, {"bundle_digest": ""})
    with pytest.raises(ReleaseError, match="was not registered by Vitrine"):
        package(name, force_failed_gate=number)
    assert stored(name) == pinned(bentofile) == []


def test_a_bundle_that_answers_otherwise_is_refused(
    register: Register, name: str, bentofile: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "export"
    shutil.copytree(tiny_bundle, bundle)
    sources, expected = read_golden(bundle)
    write_golden(bundle, sources, {head: np.roll(p, 1, axis=1) for head, p in expected.items()})
    info = load_info(tiny_bundle)
    info.model_copy(update={"files": digests(bundle)}).save(bundle)
    register(bundle)
    with pytest.raises(BundleError, match="does not answer its golden images"):
        package(name)
    assert stored(name) == pinned(bentofile) == []


def test_a_full_disk_leaves_nothing_behind(
    register: Register, name: str, bentofile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register()
    copyfile = shutil.copyfile
    copied: list[str] = []

    def full(source: Path, target: str) -> None:
        if copied:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)
        copied.append(copyfile(source, target))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(OSError, match="No space left"):
            package(name)
    assert copied
    assert stored(name) == pinned(bentofile) == []
    assert package(name).stored


@pytest.mark.parametrize("lost", ["model.bin", "bundle.json", "model.yaml"])
def test_half_a_copy_in_the_store_is_made_anew(
    register: Register, name: str, bentofile: Path, tiny_bundle: Path, lost: str
) -> None:
    import bentoml

    register()
    tag = package(name).tag
    Path(bentoml.models.get(tag).path_of(lost)).unlink()
    again = package(name)
    assert (again.tag, again.stored) == (tag, True)
    assert load_info(Path(bentoml.models.get(tag).path)) == load_info(tiny_bundle)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ("models:\n  - tag: vitrine:v1-00000000\n    alias: champion", "must hold its models in"),
        ("", "must hold its models in one line to be pinned: write `models: "),
    ],
)
def test_a_bentofile_of_another_form_is_left_alone(
    register: Register, name: str, bentofile: Path, models: str, words: str
) -> None:
    register()
    text = bentofile.read_text(encoding="utf-8").replace("models: []", models)
    bentofile.write_text(text, encoding="utf-8")
    with pytest.raises(ReleaseError, match=words):
        package(name)
    assert bentofile.read_text(encoding="utf-8") == text
    assert stored(name) == []


def test_it_runs_in_the_root_of_the_repository(register: Register, name: str) -> None:
    register()
    BENTOFILE.unlink(missing_ok=True)
    with pytest.raises(ReleaseError, match="run the command from the root of the repository"):
        package(name)


def test_an_unreachable_registry_is_said_at_once(
    name: str, bentofile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    start = time.monotonic()
    with pytest.raises(TrackingError, match=r"http://127\.0\.0\.1:9 cannot be used"):
        package(name)
    assert time.monotonic() - start < 90
    assert pinned(bentofile) == []
