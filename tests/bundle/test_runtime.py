"""A bundle answers through OpenVINO."""

from pathlib import Path

import numpy as np
import pytest

from vitrine.bundle.runtime import Runtime


@pytest.fixture(scope="module")
def runtime(tiny_bundle: Path) -> Runtime:
    return Runtime(tiny_bundle)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), dtype=np.uint8)


def test_the_answers_are_probabilities_by_class(runtime: Runtime, images: np.ndarray) -> None:
    answers = runtime.predict(images)
    for head in runtime.info.heads:
        probabilities = answers.probabilities(head)
        assert probabilities.shape == (9, len(runtime.info.taxonomy.names(head)))
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert len(answers) == 9
