"""A bundle's description and what can be wrong with a bundle."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vitrine.bundle.format import load_info
from vitrine.bundle.runtime import Runtime
from vitrine.core.digests import json_digest
from vitrine.core.errors import BundleError


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A bundle that a test may damage."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


def _edit(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = bundle / "bundle.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_bundle_tells_its_heads_and_where_it_comes_from(tiny_bundle: Path) -> None:
    info = load_info(tiny_bundle)
    assert info.heads == ("style", "category")
    assert set(info.outputs) == {"style", "category", "embedding", "style_map", "category_map"}
    assert info.lineage.run_id == "3" * 32
    assert (info.image.height, info.image.width) == (32, 32)


def test_the_digest_is_the_same_in_another_folder(tiny_bundle: Path, bundle: Path) -> None:
    assert load_info(bundle).digest == load_info(tiny_bundle).digest


def test_the_digest_does_not_depend_on_the_lineage(tiny_bundle: Path, bundle: Path) -> None:
    _edit(bundle, lambda content: content["lineage"].update(run_id="another"))
    assert load_info(bundle).digest == load_info(tiny_bundle).digest


def test_the_digest_depends_on_what_decides_the_answers(tiny_bundle: Path, bundle: Path) -> None:
    _edit(bundle, lambda content: content["image"].update(fit="crop"))
    assert load_info(bundle).digest != load_info(tiny_bundle).digest


@pytest.mark.parametrize("name", ["model.bin", "model.xml", "model.keras", "golden.npz"])
def test_a_changed_file_is_named(bundle: Path, name: str) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    with pytest.raises(BundleError, match=rf"{name} is damaged.*export or fetch"):
        load_info(bundle)


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / "model.bin").unlink()
    with pytest.raises(BundleError, match="model.bin is missing from the bundle"):
        load_info(bundle)


def test_a_folder_without_description_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is no bundle.*dvc repro export"):
        load_info(tmp_path)
    with pytest.raises(BundleError, match="is no bundle"):
        load_info(tmp_path / "missing")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(format_version=1), "format version 1, but this Vitrine reads 2 and 3"),
        (lambda c: c.update(format_version=4, other=1), "format version 4, but this Vitrine reads"),
        (lambda c: c.pop("format_version"), "format_version: Field required"),
        (lambda c: c["files"].pop("golden.npz"), "does not list golden.npz"),
        (lambda c: c["files"].update({"../model.bin": "0"}), "must be the name of a file"),
        (lambda c: c.pop("taxonomy"), "taxonomy: Field required"),
        (lambda c: c.update(surprise=1), "surprise: Extra inputs"),
    ],
)
def test_a_wrong_description_is_refused(
    bundle: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    _edit(bundle, change)
    with pytest.raises(BundleError, match=words):
        load_info(bundle)


def test_a_bundle_of_the_first_format_is_told_from_a_damaged_one(bundle: Path) -> None:
    def as_before(content: dict[str, Any]) -> None:
        content["format_version"] = 1
        del content["thresholds"], content["precision"]

    _edit(bundle, as_before)
    with pytest.raises(BundleError, match="format version 1, but this Vitrine reads 2 and 3: use"):
        load_info(bundle)


def test_a_bundle_of_the_second_format_keeps_its_digest_and_computes_in_f32(bundle: Path) -> None:
    def as_before(content: dict[str, Any]) -> None:
        content["format_version"] = 2
        del content["computing"]

    _edit(bundle, as_before)
    content = json.loads((bundle / "bundle.json").read_text())
    del content["lineage"]
    assert load_info(bundle).digest == json_digest(content)
    assert Runtime(bundle).precision == "f32"


def test_the_digest_depends_on_what_is_computed_in_but_not_on_the_clock(
    tiny_bundle: Path, bundle: Path
) -> None:
    digest = load_info(tiny_bundle).digest
    _edit(bundle, lambda c: c["computing"]["measured"][0].update(images_per_second=1.5))
    assert load_info(bundle).digest == digest
    _edit(bundle, lambda c: c["computing"].update(precision="bf16"))
    assert load_info(bundle).digest != digest


def test_the_digest_depends_on_what_is_sure(tiny_bundle: Path, bundle: Path) -> None:
    _edit(bundle, lambda content: content["thresholds"].update(style=0.5))
    assert load_info(bundle).digest != load_info(tiny_bundle).digest


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_description_that_is_no_json_object_is_refused(bundle: Path, content: bytes) -> None:
    (bundle / "bundle.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"bundle\.json.*export or fetch the bundle again"):
        load_info(bundle)
