"""A version goes from the registry into BentoML's store, and is pinned."""

import errno
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from registering import version
from vitrine import tracking
from vitrine.bundle.format import load_info
from vitrine.core.errors import BundleError, ReleaseError, ServiceError
from vitrine.core.pin import BENTOFILE
from vitrine.core.pin import pinned as with_pin
from vitrine.release.bento import bento_tag, has_bento, prove_bento
from vitrine.release.package import model_tag, package, pin

Register = Callable[..., str]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning"),  # bentoml 1.4.39
]


def stored(name: str) -> list[str]:
    import bentoml

    return [str(model.tag) for model in bentoml.models.list() if model.tag.name == name]


def pinned(bentofile: Path) -> list[dict[str, str]]:
    models: list[dict[str, str]] = yaml.safe_load(bentofile.read_text(encoding="utf-8"))["models"]
    return models


def test_a_version_is_stored_as_a_model_and_a_proven_bento(
    register: Register, name: str, bentofile: Path, tiny_bundle: Path
) -> None:
    import bentoml

    number = register()
    before = bentofile.read_text(encoding="utf-8")
    packaged = package(version(name, number))

    digest = load_info(tiny_bundle).digest
    assert packaged.tag == f"{name}:v{number}-{digest[:8]}"
    model = bentoml.models.get(packaged.tag)
    for file in ("model.xml", "model.bin", "model.keras", "golden.npz"):
        assert Path(model.path_of(file)).read_bytes() == (tiny_bundle / file).read_bytes()
    assert model.info.metadata["version"] == number
    assert model.info.metadata["bundle_digest"] == digest
    bento = bentoml.bentos.get(packaged.bento)
    assert [str(entry.tag) for entry in bento.info.all_models] == [packaged.tag]
    assert bento.info.labels == {"version": number, "bundle_digest": digest}
    assert packaged.difference <= 1e-3
    assert bentofile.read_text(encoding="utf-8") == before
    said = packaged.describe()
    assert f"version {number} of {name} was put into BentoML's store as {packaged.tag}" in said
    assert f"the Bento {packaged.bento} was built; served, it gives its golden answers" in said

    again = package(version(name, number))
    assert (again.stored, again.built) == (False, False)
    assert (again.tag, again.bento) == (packaged.tag, packaged.bento)
    assert stored(name) == [packaged.tag]
    assert "is in BentoML's store already" in again.describe()


def test_a_bento_that_answers_otherwise_does_not_prove_itself(
    register: Register, name: str, bentofile: Path, forged_bundle: Path
) -> None:
    packaged = package(version(name, register()))
    with pytest.raises(ServiceError, match="answers by the bundle"):
        prove_bento(packaged.bento, forged_bundle)


@pytest.mark.parametrize(
    "part", ["src/vitrine/__init__.py", "requirements/serve.txt", "bentofile.yaml"]
)
def test_other_code_or_libraries_make_another_bento(bentofile: Path, part: str) -> None:
    def tag() -> str:
        return bento_tag("vitrine:v7-01234567", bentofile.read_text())

    before = tag()
    assert before.startswith("vitrine-api:v7-01234567-")
    assert not has_bento(before)
    text = Path(part).read_text()
    Path(part).write_text(f"{text}# changed\n")
    try:
        assert tag() != before
    finally:
        Path(part).write_text(text)
    assert tag() == before


@pytest.mark.parametrize("lost", ["bento.yaml", "src/vitrine/serving/app.py"])
def test_half_a_bento_that_a_killed_process_left_is_built_anew(
    register: Register, name: str, bentofile: Path, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import bentoml

    found = version(name, register())
    run = subprocess.run

    def killed(*given: Any, **options: Any) -> None:
        run(*given, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            package(found)
    tag = bento_tag(model_tag(found), with_pin(bentofile.read_text(), model_tag(found)))
    folder = Path(bentoml.bentos.get(tag).path)
    (folder / lost).unlink()
    again = package(found)
    assert (again.bento, again.built) == (tag, True)
    assert (folder / lost).is_file()
    assert not package(found).built


def test_the_service_that_proves_ends_with_a_killed_process(
    register: Register, name: str, bentofile: Path, tmp_path: Path
) -> None:
    bento = package(version(name, register())).bento
    script = f"""
import time
from pathlib import Path
from vitrine.release.local_service import local_service
with local_service({bento!r}, Path({str(tmp_path)!r}), {{"VITRINE_SERVING_WORKERS": "1"}}) as service:
    print(service.url, flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout:
        port = int(process.stdout.readline().rpartition(":")[2])
        process.kill()
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            break
        assert time.monotonic() < deadline, "the service still listens"
        time.sleep(0.2)


def test_a_bento_that_cannot_be_built_says_why(
    register: Register, name: str, bentofile: Path
) -> None:
    text = bentofile.read_text(encoding="utf-8")
    bentofile.write_text(text.replace("service:service", "service:nothing"), encoding="utf-8")
    number = register()
    with pytest.raises(ReleaseError, match=r"the Bento .* cannot be built: .*nothing"):
        package(version(name, number))
    bentofile.write_text(text, encoding="utf-8")
    assert package(version(name, number)).built


def test_a_bundle_that_answers_otherwise_is_not_stored(
    register: Register, name: str, bentofile: Path, forged_bundle: Path
) -> None:
    number = register(forged_bundle)
    with pytest.raises(BundleError, match="does not answer its golden images"):
        package(version(name, number))
    assert stored(name) == []


def test_a_full_disk_leaves_nothing_behind(
    register: Register, name: str, bentofile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = register()
    tracking.download_bundle(name, number)
    copyfile = shutil.copyfile
    copied: list[str] = []

    def full(source: Path, target: str) -> None:
        if copied:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)
        copied.append(copyfile(source, target))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(OSError, match="No space left"):
            package(version(name, number))
    assert copied
    assert stored(name) == []
    assert package(version(name, number)).stored


@pytest.mark.parametrize("lost", ["model.bin", "model.yaml"])
def test_half_a_copy_in_the_store_is_made_anew(
    register: Register, name: str, bentofile: Path, tiny_bundle: Path, lost: str
) -> None:
    import bentoml

    number = register()
    tag = package(version(name, number)).tag
    Path(bentoml.models.get(tag).path_of(lost)).unlink()
    again = package(version(name, number))
    assert (again.tag, again.stored) == (tag, True)
    assert load_info(Path(bentoml.models.get(tag).path)).files == load_info(tiny_bundle).files


def test_a_pin_changes_one_line_and_only_when_it_must(bentofile: Path) -> None:
    before = bentofile.read_text(encoding="utf-8")
    assert pin("vitrine:v1-0123abcd") == before
    assert pinned(bentofile) == [{"tag": "vitrine:v1-0123abcd", "alias": "champion"}]
    after = bentofile.read_text(encoding="utf-8").splitlines()
    assert [line for line in after if line not in before.splitlines()] == [
        'models: [{tag: "vitrine:v1-0123abcd", alias: champion}]'
    ]
    assert len(after) == len(before.splitlines())
    touched = bentofile.stat().st_mtime_ns
    pin("vitrine:v1-0123abcd")
    assert bentofile.stat().st_mtime_ns == touched


@pytest.mark.parametrize(
    "models", ["models:\n  - tag: vitrine:v1-00000000\n    alias: champion", ""]
)
def test_a_bentofile_of_another_form_is_left_alone(bentofile: Path, models: str) -> None:
    text = bentofile.read_text(encoding="utf-8").replace("models: []", models)
    bentofile.write_text(text, encoding="utf-8")
    with pytest.raises(ReleaseError, match="must hold its models in one line to be pinned: write"):
        pin("vitrine:v1-0123abcd")
    assert bentofile.read_text(encoding="utf-8") == text


def test_it_runs_in_the_root_of_the_repository(stores: Path) -> None:
    BENTOFILE.unlink(missing_ok=True)
    with pytest.raises(ReleaseError, match="run the command from the root of the repository"):
        pin("vitrine:v1-0123abcd")
