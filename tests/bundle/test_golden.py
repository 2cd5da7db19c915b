"""A bundle proves that it answers as it did when it was exported."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vitrine.bundle.format import digests, load_info
from vitrine.bundle.golden import prove, read_golden
from vitrine.bundle.runtime import Runtime, Wanted
from vitrine.core.errors import BundleError
from vitrine.core.manifest import Catalogue


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_a_sound_bundle_proves_itself(tiny_bundle: Path, precision: Wanted) -> None:
    difference = prove(Runtime(tiny_bundle, precision=precision))
    assert 0 <= difference < (1e-4 if precision == "f32" else 0.05)


def test_the_golden_images_are_the_original_bytes(tiny_bundle: Path, catalogue: Catalogue) -> None:
    sources, expected = read_golden(tiny_bundle)
    assert sources == [catalogue.path(row).read_bytes() for row in catalogue.rows()][:3]
    assert expected["style"].shape == (3, len(catalogue.taxonomy().styles))


def test_a_bundle_with_other_weights_is_found_out(
    tiny_bundle: Path, make_bundle: Callable[[Path, int], Path], tmp_path: Path
) -> None:
    mixed = Path(shutil.copytree(tiny_bundle, tmp_path / "mixed"))
    other = make_bundle(tmp_path / "other", 2)
    for name in ("model.xml", "model.bin"):
        shutil.copyfile(other / name, mixed / name)
    load_info(tiny_bundle).model_copy(update={"files": digests(mixed)}).save(mixed)
    with pytest.raises(BundleError, match=r"does not answer its golden images.*off by"):
        prove(Runtime(mixed))


def test_an_answer_that_is_no_number_is_found_out(tiny_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    with np.load(bundle / "golden.npz") as file:
        content = dict(file)
    content["style"][0, 0] = np.nan
    np.savez(bundle / "golden.npz", **content)
    load_info(tiny_bundle).model_copy(update={"files": digests(bundle)}).save(bundle)
    with pytest.raises(BundleError, match="off by nan"):
        prove(Runtime(bundle))
