import hashlib

import numpy as np
import pytest

from vitrine.core.errors import PreparedDataError
from vitrine.core.manifest import SPLITS, Row
from vitrine.core.params import Params, PrepareParams
from vitrine.core.taxonomy import Taxonomy
from vitrine.inputs.listing import Listing
from vitrine.inputs.split import assign, hash_shares

CATEGORIES = ("shoe", "lamp", "bag")
NONE = (np.empty(0, np.int64), np.empty(0, np.int64))
"""No near-duplicates."""


@pytest.fixture
def section(params: Params) -> PrepareParams:
    return params.prepare


def listing_of(rows: list[Row], taxonomy: Taxonomy, same: str = "") -> Listing:
    """A listing of files that are unlike each other, but for the rows whose title is `same`."""
    listing = Listing(taxonomy)
    for row in rows:
        digest = hashlib.sha256((same if same and row.title == same else row.image).encode())
        listing.add(row, digest.hexdigest())
    return listing


def many(count: int, start: int = 0) -> list[Row]:
    return [
        Row(f"images/{i}.png", ("plain", "vintage")[i % 2], CATEGORIES[i % 3], f"p{i // 2}")
        for i in range(start, start + count)
    ]


def test_the_shares_are_kept(section: PrepareParams, taxonomy: Taxonomy) -> None:
    counts = np.bincount(assign(listing_of(many(6000), taxonomy), section, NONE).splits)
    assert counts / 6000 == pytest.approx([0.7, 0.15, 0.15], abs=0.02)


def test_a_product_stays_together(section: PrepareParams, taxonomy: Taxonomy) -> None:
    result = assign(listing_of(many(600), taxonomy), section, NONE)
    assert (result.splits[::2] == result.splits[1::2]).all()
    assert (result.groups, result.largest) == (300, 2)


def test_equal_files_stay_together(section: PrepareParams, taxonomy: Taxonomy) -> None:
    rows = [
        Row(row.image, row.style, row.category, title="same" if i % 10 == 0 else "")
        for i, row in enumerate(many(300))
    ]
    result = assign(listing_of(rows, taxonomy, same="same"), section, NONE)
    assert len(set(result.splits[::10].tolist())) == 1
    assert result.largest == 30


def test_near_duplicates_stay_together(section: PrepareParams, taxonomy: Taxonomy) -> None:
    listing = listing_of(many(400), taxonomy)
    apart = assign(listing, section, NONE).splits
    first = np.arange(0, 380, 20)
    result = assign(listing, section, (first, first + 20))  # a chain
    assert len(set(apart[::20].tolist())) == 3
    assert len(set(result.splits[::20].tolist())) == 1
    assert (result.splits[::2] == result.splits[1::2]).all()
    assert (result.groups, result.largest) == (200 - 19, 40)


def test_a_near_duplicate_goes_where_the_manifest_puts_its_twin(
    section: PrepareParams, taxonomy: Taxonomy
) -> None:
    rows = [*many(400), Row("images/x.png", "plain", "bag", split="test")]
    listing = listing_of(rows, taxonomy)
    place = int(np.flatnonzero(assign(listing, section, NONE).splits == 0)[0])
    near = np.array([place]), np.array([400])
    assert SPLITS[assign(listing, section, near).splits[place]] == "test"


def test_rows_that_are_added_move_no_others(section: PrepareParams, taxonomy: Taxonomy) -> None:
    before = assign(listing_of(many(500), taxonomy), section, NONE).splits
    later = assign(listing_of(many(500) + many(701, start=499)[1:], taxonomy), section, NONE).splits
    assert (before == later[:500]).all()


def test_another_seed_gives_another_split(section: PrepareParams, taxonomy: Taxonomy) -> None:
    listing = listing_of(many(300), taxonomy)
    other = section.model_copy(update={"seed": -5})
    assert (assign(listing, section, NONE).splits == assign(listing, section, NONE).splits).all()
    assert (assign(listing, section, NONE).splits != assign(listing, other, NONE).splits).any()


def test_the_manifests_split_wins_and_its_group_follows(
    section: PrepareParams, taxonomy: Taxonomy
) -> None:
    rows = many(400)
    rows += [
        Row(f"images/x{i}.png", "plain", "shoe", f"x{i // 3}", split=("test", "", "")[i % 3])
        for i in range(60)
    ]
    result = assign(listing_of(rows, taxonomy), section, NONE)
    assert {SPLITS[place] for place in result.splits[400:]} == {"test"}


def test_groups_that_the_manifest_tears_stay_torn(
    section: PrepareParams, taxonomy: Taxonomy
) -> None:
    rows = many(400)
    torn = [("test", "a"), ("train", "a"), ("", "a"), ("val", "b"), ("val", "b")]
    rows += [Row(f"images/{i}{p}", "plain", "bag", p, split=s) for i, (s, p) in enumerate(torn)]
    result = assign(listing_of(rows, taxonomy), section, NONE)
    assert [SPLITS[place] for place in result.splits[400:]] == [
        "test",
        "train",
        "train",
        "val",
        "val",
    ]


def test_a_rare_class_is_in_every_split(section: PrepareParams, taxonomy: Taxonomy) -> None:
    rows = [Row(row.image, row.style, CATEGORIES[i % 2]) for i, row in enumerate(many(300))]
    rows += [Row(f"images/rare{i}.png", "", "bag") for i in range(3)]
    listing = listing_of(rows, taxonomy)
    moved = set()
    for seed in range(12):
        result = assign(listing, section.model_copy(update={"seed": seed}), NONE)
        assert sorted(result.splits[300:].tolist()) == [0, 1, 2]
        moved.add(result.moved)
    assert moved & {1, 2}


def test_two_groups_of_a_class_are_too_few(section: PrepareParams, taxonomy: Taxonomy) -> None:
    rows = [Row(row.image, row.style, CATEGORIES[i % 2]) for i, row in enumerate(many(300))]
    rows += [Row(f"images/rare{i}.png", "", "bag", f"rare{i % 2}") for i in range(8)]
    with pytest.raises(
        PreparedDataError,
        match=r"category 'bag' cannot be in train, val and test: its 8 images form 2 groups.*stay together",
    ):
        assign(listing_of(rows, taxonomy), section, NONE)


def test_splits_that_the_manifest_gives_are_not_mended(
    section: PrepareParams, taxonomy: Taxonomy
) -> None:
    rows = [Row(row.image, row.style, row.category, split="train") for row in many(300)]
    with pytest.raises(PreparedDataError, match=r"style 'plain'.*form 0 groups.*go to val"):
        assign(listing_of(rows, taxonomy), section, NONE)


def test_a_label_without_an_image_is_named(section: PrepareParams, taxonomy: Taxonomy) -> None:
    rows = [Row(row.image, row.style, CATEGORIES[i % 2]) for i, row in enumerate(many(300))]
    with pytest.raises(PreparedDataError, match=r"category 'bag' of taxonomy\.yaml has no image"):
        assign(listing_of(rows, taxonomy), section, NONE)


def test_no_gap_is_opened_to_close_another(section: PrepareParams, taxonomy: Taxonomy) -> None:
    # Every vintage image is also one of the few bags, so both labels must be served by one move.
    rows = [Row(f"images/{i}.png", "plain", CATEGORIES[i % 2]) for i in range(200)]
    rows += [Row(f"images/bag{i}.png", "vintage", "bag") for i in range(4)]
    splits = assign(listing_of(rows, taxonomy), section, NONE).splits
    assert set(splits[200:].tolist()) == {0, 1, 2}


def test_hash_shares_are_evenly_spread() -> None:
    shares = hash_shares(np.arange(10_000, dtype=np.uint64), 17)
    counts, _ = np.histogram(shares, bins=10, range=(0, 1))
    assert counts.min() > 900
    assert (hash_shares(np.arange(5, dtype=np.uint64), -1) < 1).all()
