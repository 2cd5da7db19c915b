"""How long bundles take."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np

from vitrine.bundle.runtime import Runtime
from vitrine.evaluation.latency import latencies


class Slow:
    """A bundle that takes a known time, and much longer at first."""

    def __init__(self, size: int, seconds: float, turns: list[int]) -> None:
        self.info = SimpleNamespace(image=SimpleNamespace(height=size, width=size + 1))
        self.size, self.seconds, self.turns, self.calls = size, seconds, turns, 0

    def predict(self, images: np.ndarray) -> None:
        assert images.shape == (1, self.size, self.size + 1, 3)
        assert images.dtype == np.uint8
        self.turns.append(self.size)
        self.calls += 1
        time.sleep(0.02 if self.calls <= 3 else self.seconds)


def test_each_is_timed_on_images_of_its_own_size_in_turn() -> None:
    turns: list[int] = []
    bundles = [Slow(8, 0.001, turns), Slow(16, 0.004, turns)]
    short, long = latencies(cast("list[Runtime]", bundles))
    assert 1 <= short < 4 <= long < 20
    assert turns == [8, 16] * (len(turns) // 2)
    assert bundles[0].calls >= 30


def test_one_bundle(tiny_bundle: Path) -> None:
    (found,) = latencies([Runtime(tiny_bundle, threads=1)])
    assert 0 < found < 1000
