"""Groups of images that must not be torn apart by a split."""

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
    products: NDArray[np.uint64], contents: NDArray[np.uint64], near: tuple[Indices, Indices]
) -> Indices:
    """Group views of one product, equal files and near-duplicates. Return each image's root.

    Args:
        products: (n,) equal for equal products; 0 = no product.
        contents: (n,) equal for equal bytes.
        near: Two arrays (k,) of images that show nearly the same.
    """
    groups = Groups(len(products))
    known = np.flatnonzero(products)
    groups.join_equal(products[known], known)
    groups.join_equal(contents)
    groups.join(*near)
    return groups.roots
