"""Truth and answers by hand."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from vitrine.bundle.format import BundleInfo, Lineage
from vitrine.core.params import Params
from vitrine.core.taxonomy import Taxonomy
from vitrine.evaluation.answers import HeadAnswers

Given = Callable[..., HeadAnswers]


@pytest.fixture
def given() -> Given:
    """Make the answers of a head from its probabilities, one row an image."""

    def make(
        labels: Sequence[int], probabilities: Sequence[Sequence[float]], *classes: str
    ) -> HeadAnswers:
        rows = np.array(probabilities, np.float64)
        names = classes or tuple("abcdefgh"[: rows.shape[1]])
        images = [f"images/{i}.jpg" for i in range(len(rows))]
        return HeadAnswers("category", names, images, np.array(labels), rows)

    return make


@pytest.fixture
def drawn() -> Callable[..., HeadAnswers]:
    """Draw labels from random probabilities, so that these are perfectly calibrated."""

    def make(images: int, classes: Sequence[str], seed: int = 1) -> HeadAnswers:
        generator = np.random.default_rng(seed)
        probabilities = generator.dirichlet(np.full(len(classes), 0.3), images)
        labels = (generator.random((images, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
        labels = labels.clip(0, len(classes) - 1)
        names = [f"images/{i}.jpg" for i in range(images)]
        return HeadAnswers("category", tuple(classes), names, labels, probabilities)

    return make


@pytest.fixture
def described(params: Params) -> Callable[[Taxonomy], BundleInfo]:
    """Describe a bundle for some labels: temperatures 1.5 and 0.8, sure from 0.75 and 0.6 on."""

    def make(taxonomy: Taxonomy) -> BundleInfo:
        lineage = Lineage(
            git_commit="c0ffee",
            data_digest="da7a",
            params_digest="9a9a",
            run_id="42",
            created="now",
        )
        return BundleInfo(
            format_version=2,
            image=params.image,
            taxonomy=taxonomy,
            outputs=("category", "embedding", "style"),
            calibration={"style": 1.5, "category": 0.8},
            precision=0.95,
            thresholds={"style": 0.75, "category": 0.6},
            tolerance=0.001,
            files={},
            lineage=lineage,
        )

    return make
