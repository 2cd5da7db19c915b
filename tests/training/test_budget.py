"""The time of a search is that in which somebody trained."""

import pytest

from vitrine.training.budget import Span, spent


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([], 0),
        ([(100, 130)], 30),
        ([(200, 210), (100, 130)], 40),
        ([(100, 130), (120, 150)], 50),
        ([(100, 130), (105, 110), (130, 131)], 31),
        ([(100, 130), (100, 130)], 30),
    ],
)
def test_trials_beside_each_other_count_once(spans: list[Span], seconds: float) -> None:
    assert spent(spans) == seconds
