"""Groups of images that must not be torn apart by a split."""

import math
from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Groups:
    """Disjoint groups of the numbers 0..n-1, joined in bulk; a root is a group's lowest."""

    def __init__(self, size: int) -> None:
        self._parent: Indices = np.arange(size)

    def join(self, first: Indices, second: Indices) -> None:
        """Put `first[i]` and `second[i]` into one group, for every i."""
        while True:
            a, b = self._parent[first], self._parent[second]
            apart = a != b
            if not apart.any():
                return
            first, second, a, b = first[apart], second[apart], a[apart], b[apart]
            np.minimum.at(self._parent, np.maximum(a, b), np.minimum(a, b))
            self._flatten()

    def join_equal(self, keys: NDArray[np.uint64], members: Indices | None = None) -> None:
        """Put all members with the same key into one group; `members` is 0..n-1 by default."""
        members = np.arange(len(keys)) if members is None else members
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        self.join(members, members[first[inverse]])

    def _flatten(self) -> None:
        while True:
            above = self._parent[self._parent]
            if np.array_equal(above, self._parent):
                return
            self._parent = above

    @property
    def roots(self) -> Indices:
        """(n,) the lowest member of each number's group."""
        return self._parent


def group_images(
    products: NDArray[np.uint64],
    contents: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    distance: int,
) -> Indices:
    """Group views of one product, equal files and near-duplicates. Return each image's root.

    Args:
        products: (n,) equal for equal products; 0 = no product.
        contents: (n,) equal for equal bytes.
        hashes: (n,) 64-bit perceptual hashes.
        distance: Hashes that differ in at most this many bits are near-duplicates.
    """
    groups = Groups(len(products))
    known = np.flatnonzero(products)
    groups.join_equal(products[known], known)
    groups.join_equal(contents)
    groups.join_equal(hashes)
    distinct, first = np.unique(hashes, return_index=True)
    for near, other in _near_pairs(distinct, distance):
        groups.join(first[near], first[other])
    return groups.roots


def _near_pairs(hashes: NDArray[np.uint64], distance: int) -> Iterator[tuple[Indices, Indices]]:
    """Yield index arrays of the pairs of distinct 64-bit hashes that differ in few bits.

    The bits are cut into more bands than may differ, so any near pair agrees in some set of
    `bands - distance` whole bands: only hashes that do are compared.
    """
    if distance == 0 or len(hashes) < 2:
        return
    bands = _best_bands(len(hashes), distance)
    edges = [64 * band // bands for band in range(bands + 1)]
    masks = [(1 << high) - (1 << low) for low, high in pairwise(edges)]
    for kept in combinations(masks, bands - distance):
        for near, other in _equal_pairs(hashes & np.uint64(sum(kept))):
            close = np.bitwise_count(hashes[near] ^ hashes[other]) <= distance
            yield near[close], other[close]


def _equal_pairs(keys: NDArray[np.uint64]) -> Iterator[tuple[Indices, Indices]]:
    """Yield index arrays of all pairs of equal keys: neighbours in sorted order, then next ones."""
    order = np.argsort(keys)
    keys = keys[order]
    places: Indices = np.arange(len(keys))
    for gap in range(1, len(keys)):
        places = places[places < len(keys) - gap]
        places = places[keys[places] == keys[places + gap]]
        if not len(places):
            return
        yield order[places], order[places + gap]


def _best_bands(count: int, distance: int) -> int:
    """Return into how many bands to cut 64 bits so that sorting and comparing cost least."""

    def cost(bands: int) -> float:
        pairs = math.ldexp(count**2, -(64 * (bands - distance) // bands))
        return math.comb(bands, distance) * (count * math.log2(count) + pairs)

    return min(range(distance + 1, 4 * distance + 2), key=cost)
