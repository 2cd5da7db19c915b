"""What is drift, and what is not."""

from dataclasses import replace

import numpy as np
import pytest

from monitored import World
from vitrine.monitoring.distances import compare_numbers, compare_words, independent
from vitrine.monitoring.drift import Compared, compare
from vitrine.monitoring.limits import DEFAULTS, Limits

SAME = World()


def against(world: World, before: int = 800, now: int = 600, limits: Limits = DEFAULTS) -> Compared:
    return compare(SAME.sample(before, seed=1), world.sample(now, seed=2), limits)


@pytest.mark.parametrize(
    ("world", "features"),
    [
        (SAME, []),
        (World(shares=(0.25, 0.55, 0.19, 0.01)), ["style"]),
        (World(shares=(0.3, 0.2, 0.2, 0.3)), ["style"]),
        (World(confidence=0.65), ["style_sure", "style_confidence"]),
        (World(brightness=110), ["brightness"]),
        (World(moved=0.3), ["embedding"]),
    ],
)
def test_exactly_what_changed_is_named(world: World, features: list[str]) -> None:
    assert [one.feature for one in against(world).drifted] == features


def test_a_small_change_is_no_drift_however_sure_it_is() -> None:
    found = against(World(brightness=140), before=5_000, now=5_000)
    (one,) = [one for one in found.comparisons if one.feature == "brightness"]
    assert one.difference.p_value < 1e-6
    assert not found.drifted


def test_a_large_change_is_no_drift_while_it_may_be_chance() -> None:
    few = replace(DEFAULTS, min_images=1)
    found = against(World(shares=(0.3, 0.5, 0.19, 0.01)), before=30, now=20, limits=few)
    (one,) = [one for one in found.comparisons if one.feature == "style"]
    assert one.difference.effect > DEFAULTS.distance
    assert not found.drifted


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (800, 199, "199 images in the log, 200 are needed"),
        (150, 600, "150 images in the reference, 200 are needed"),
    ],
)
def test_of_few_images_nothing_is_said(before: int, now: int, words: str) -> None:
    found = against(World(brightness=20), before, now)
    assert not found.comparisons
    assert set(found.skipped.values()) == {words}


def test_what_the_log_has_not_is_said() -> None:
    sample = SAME.sample(600, seed=2)
    without = replace(sample, embeddings=sample.embeddings[:0])
    found = compare(SAME.sample(800, seed=1), without, DEFAULTS)
    assert found.skipped == {"embedding": "not in the log"}


def test_p_values_are_adjusted_for_the_number_of_features() -> None:
    found = against(World(brightness=135))
    (one,) = [one for one in found.comparisons if one.feature == "brightness"]
    alone = compare_numbers(
        SAME.sample(800, seed=1).numbers["brightness"],
        World(brightness=135).sample(600, seed=2).numbers["brightness"],
    )
    # The others are alike, so the smallest p-value bears the whole price.
    assert one.difference.p_value == pytest.approx(alone.p_value * len(found.comparisons))


@pytest.mark.parametrize(("views", "least", "most"), [(1, 900, 1_000), (4, 240, 265)])
def test_views_of_a_product_that_come_together_count_once(
    views: int, least: int, most: int
) -> None:
    series = np.random.default_rng(3).normal(size=(1_000 // views, 2)).repeat(views, axis=0)
    assert least <= independent(series) <= most
    assert independent(np.ones((50, 1))) == 50


def test_a_few_products_with_many_views_are_no_drift() -> None:
    assert not any(
        compare(SAME.sample(800, seed), World(views=10).sample(300, seed + 1), DEFAULTS).drifted
        for seed in range(0, 10, 2)
    )


def test_shares_of_labels_in_words() -> None:
    before = np.array(["shoes"] * 60 + ["bags"] * 40)
    now = np.array(["shoes"] * 30 + ["bags"] * 70)
    found = compare_words(before, now)
    assert found.effect == pytest.approx(0.3)
    assert found.change == "shoes 60.0% → 30.0%"
    assert [(cell.name, cell.before, cell.now) for cell in found.cells] == [
        ("shoes", 0.6, 0.3),
        ("bags", 0.4, 0.7),
    ]


def test_labels_too_rare_for_the_test_are_put_together() -> None:
    before = np.array(["shoes"] * 96 + ["a", "b", "c", "d"])
    now = np.array(["shoes"] * 96 + ["e", "f", "g", "h"])
    found = compare_words(before, now)
    assert [cell.name for cell in found.cells] == ["shoes", "rarer ones"]
    assert (found.effect, found.p_value) == (0.0, 1.0)


def test_one_label_alone_has_not_drifted() -> None:
    found = compare_words(np.array(["shoes"] * 50), np.array(["shoes"] * 60))
    assert (found.effect, found.p_value) == (0.0, 1.0)


@pytest.mark.parametrize(("now", "effect", "ranges"), [(80.0, 0.0, 1), (400.0, 1.0, 10)])
def test_images_all_of_one_size(now: float, effect: float, ranges: int) -> None:
    found = compare_numbers(np.full(300, 80.0), np.full(300, now))
    assert found.effect == effect
    assert len(found.cells) == ranges
    assert sum(cell.before for cell in found.cells) == pytest.approx(1)
    assert sum(cell.now for cell in found.cells) == pytest.approx(1)
