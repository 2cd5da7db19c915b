"""A bundle answers through TensorFlow as it does through OpenVINO."""

from pathlib import Path

import numpy as np
import pytest

from vitrine.bundle.golden import prove
from vitrine.bundle.runtime import Runtime
from vitrine.bundle.tensorflow_runtime import TensorFlowRuntime
from vitrine.core.errors import BundleError


@pytest.fixture(scope="module")
def runtime(tiny_bundle: Path) -> TensorFlowRuntime:
    return TensorFlowRuntime(tiny_bundle)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_both_runtimes_answer_the_same(
    runtime: TensorFlowRuntime, tiny_bundle: Path, count: int
) -> None:
    generator = np.random.default_rng(count)
    images = generator.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    found, expected = runtime.predict(images), Runtime(tiny_bundle).predict(images)
    for name in ("style", "category", "embedding", "style_map", "category_map"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-4)


def test_the_golden_answers_are_proven(runtime: TensorFlowRuntime) -> None:
    assert prove(runtime) < 1e-4
    assert (runtime.runtime, runtime.precision) == ("tensorflow", "f32")
    assert runtime.device


def test_a_folder_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no bundle"):
        TensorFlowRuntime(tmp_path)
