"""Truth and answers by hand."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

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
