import numpy as np
import pytest
from numpy.typing import NDArray

from vitrine.inputs.grouping import Groups, group_images


def groups_of(roots: NDArray[np.int64]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(roots == root).tolist()) for root in roots}


def none() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.empty(0, np.int64), np.empty(0, np.int64)


@pytest.mark.parametrize("pairs", [0, 20, 100, 400])
def test_near_duplicates_are_joined_as_joining_one_pair_after_another_does(pairs: int) -> None:
    first, second = np.random.default_rng(pairs).integers(0, 200, (2, pairs))
    expected = {number: {number} for number in range(200)}
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        joined = expected[a] | expected[b]
        expected |= dict.fromkeys(joined, joined)
    unlike = np.arange(200).astype(np.uint64)
    roots = group_images(np.zeros_like(unlike), unlike, (first, second))
    assert groups_of(roots) == set(map(frozenset, expected.values()))
    assert all(root == min(expected[number]) for number, root in enumerate(roots.tolist()))


def test_products_bytes_and_near_duplicates_join_and_chains_are_followed() -> None:
    products = np.array([7, 0, 7, 0, 9, 0, 0, 0], np.uint64)
    contents = np.array([1, 2, 3, 3, 4, 4, 5, 6], np.uint64)
    assert group_images(products, contents, none()).tolist() == [0, 1, 0, 0, 4, 4, 6, 7]
    near = np.array([6, 5]), np.array([1, 3])
    assert group_images(products, contents, near).tolist() == [0, 1, 0, 0, 0, 0, 1, 7]


def test_a_long_chain_becomes_one_group_whatever_its_order() -> None:
    order = np.random.default_rng(0).permutation(1000)
    groups = Groups(1000)
    groups.join(order[:-1], order[1:])
    assert not groups.roots.any()
