from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from vitrine.inputs.grouping import Groups, group_images


def groups_of(roots: NDArray[np.int64]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(roots == root).tolist()) for root in roots}


def hashes_in_clusters(count: int, flips: int) -> NDArray[np.uint64]:
    """Random hashes, most of them a few flipped bits away from an earlier one."""
    rng = np.random.default_rng(count)
    hashes = list(map(int, rng.integers(0, 2**64, 1 + count // 4, dtype=np.uint64)))
    while len(hashes) < count:
        flipped = hashes[rng.integers(len(hashes))]
        for bit in rng.integers(0, 64, rng.integers(flips + 1)):
            flipped ^= 1 << int(bit)
        hashes.append(flipped)
    return np.array(hashes, np.uint64)


@pytest.mark.parametrize("distance", [0, 1, 2, 3, 5, 8])
def test_near_duplicates_are_those_that_comparing_every_pair_finds(distance: int) -> None:
    hashes = hashes_in_clusters(160, flips=distance + 2)
    expected = Groups(len(hashes))
    for a, b in combinations(range(len(hashes)), 2):
        if (int(hashes[a]) ^ int(hashes[b])).bit_count() <= distance:
            expected.join(np.array([a]), np.array([b]))
    unlike = np.arange(len(hashes)).astype(np.uint64)
    roots = group_images(np.zeros_like(unlike), unlike, hashes, distance)
    assert groups_of(roots) == groups_of(expected.roots)
    assert 1 < len(groups_of(roots)) < len(hashes)


def test_products_and_bytes_join_and_chains_are_followed() -> None:
    products = np.array([7, 0, 7, 0, 9, 0], np.uint64)
    contents = np.array([1, 2, 3, 3, 4, 4], np.uint64)
    far = np.array([0, 0xFF, 0xFF00, 0xFF0000, 0xFF000000, 0xFF00000000], np.uint64)
    roots = group_images(products, contents, far, 2)
    assert roots.tolist() == [0, 1, 0, 0, 4, 4]


def test_a_long_chain_becomes_one_group_whatever_its_order() -> None:
    order = np.random.default_rng(0).permutation(1000)
    groups = Groups(1000)
    groups.join(order[:-1], order[1:])
    assert not groups.roots.any()
