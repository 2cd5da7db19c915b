"""A prediction log that is drawn at random: of a world that stays, or that has changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitrine.monitoring.sample import Sample
from vitrine.monitoring.window import Wanted, Window, find_window

LABELS = ("minimalist", "vintage", "fashion", "rare")
SIZE = 32
ALL = Wanted(model="", since=0.0, last=5_000)
DIGEST = "a" * 64


@dataclass(frozen=True)
class World:
    """What a service sees.

    Args:
        shares: Of the answers, by label.
        confidence: The mean of the confidence.
        brightness: The mean of the images' brightness.
        moved: How far the embeddings lie from where they were, in standard deviations, in each
            of their numbers.
        views: How many images of a product come one after the other, all alike.
    """

    shares: tuple[float, ...] = (0.5, 0.3, 0.19, 0.01)
    confidence: float = 0.8
    brightness: float = 150.0
    moved: float = 0.0
    views: int = 1

    def entries(self, count: int, seed: int) -> list[dict[str, Any]]:
        """Return entries as `read_log` gives them, one a second."""
        random = np.random.default_rng(seed)
        products = -(-count // self.views)
        labels = random.choice(LABELS, products, p=self.shares)
        confidence = random.beta(8 * self.confidence, 8 * (1 - self.confidence), products)
        brightness = np.clip(random.normal(self.brightness, 40, products), 0, 255)
        vectors = random.normal(self.moved, 1, (products, SIZE)).astype(np.float32)
        return [
            {
                "time": 1_000.0 + place,
                "request_id": f"r{place}",
                "version": "7",
                "bundle_digest": DIGEST,
                "style": {
                    "label": labels[product],
                    "probability": confidence[product],
                    "unsure": bool(confidence[product] < 0.6),
                },
                "category": None,
                "bytes": 4_000,
                "width": 60,
                "height": 80,
                "brightness": brightness[product],
                "embedding": vectors[product],
            }
            for place in range(count)
            for product in [place // self.views]
        ]

    def sample(self, count: int, seed: int) -> Sample:
        """Return what is kept of so many entries."""
        window = find(self.entries(count, seed))
        assert window is not None
        return window.sample


def find(entries: list[dict[str, Any]], wanted: Wanted = ALL) -> Window | None:
    """Look through a log without images."""
    return find_window(lambda: entries, wanted, _unmeasured)


def _unmeasured(_: bytes) -> Mapping[str, float | None]:
    raise AssertionError("there is no image in this log")
