"""A graph becomes one of integers."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vitrine.bundle import export
from vitrine.bundle.export import Contents, export_bundle
from vitrine.bundle.golden import prove
from vitrine.bundle.quantising import quantise
from vitrine.bundle.runtime import Runtime
from vitrine.bundle.tensorflow_runtime import TensorFlowRuntime
from vitrine.core.errors import BundleError
from vitrine.inputs.shards import Batch


def test_without_nncf_it_says_what_to_do(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    images = np.zeros((1, 32, 32, 3), np.uint8)
    with pytest.raises(BundleError, match=r"export\.precisions names int8.*pip install nncf"):
        quantise(tiny_bundle / "model.xml", images, tmp_path / "integers.xml")


def test_a_bundle_of_integers_is_smaller_proves_itself_and_answers_nearly_the_same(
    tiny_bundle: Path,
    contents: Contents,
    validation: list[Batch],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("nncf")
    monkeypatch.setattr(export, "chip_precisions", lambda: ("f32", "int8"))
    monkeypatch.setattr(export, "choose", lambda measured, tolerance: measured[-1].precision)
    folder = tmp_path / "bundle"
    contents = replace(contents, computing=("f32", "int8"))
    exported = export_bundle(tiny_bundle / "model.keras", folder, contents, validation)
    assert exported.info.computing.precision == "int8"
    assert exported.difference < 1e-4
    integers, floats = Runtime(folder), Runtime(tiny_bundle)
    assert integers.precision == "int8"
    prove(integers)
    prove(TensorFlowRuntime(folder))
    size = (tiny_bundle / "model.bin").stat().st_size
    assert (folder / "model.bin").stat().st_size < size
    images = validation[0].images
    np.testing.assert_allclose(
        integers.predict(images).embedding, floats.predict(images).embedding, atol=0.1
    )
    assert "quantiz" not in capfd.readouterr().out.lower()
