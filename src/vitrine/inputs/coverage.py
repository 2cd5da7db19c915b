"""Moving a few groups so that every label occurs in train, val and test."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.core.errors import PreparedDataError
from vitrine.core.manifest import SPLITS
from vitrine.core.taxonomy import HEADS, Head
from vitrine.inputs.grouping import Indices
from vitrine.inputs.listing import UNDECIDED, Listing


def cover(
    listing: Listing, splits: NDArray[np.int8], groups: Indices, shares: NDArray[np.float64]
) -> int:
    """Move groups, in `splits` itself, until every label is in every split.

    A group moves only if it leaves no gap behind. Where several could, the one from the split that
    has most images of the label goes, and of those the one with the lowest share.

    Args:
        listing: The images.
        splits: (n,) places in `SPLITS`; changed in place.
        groups: (n,) a number that is equal within a group; -1 = must stay.
        shares: (n,) the groups' hashes in [0, 1).

    Returns:
        How many groups were moved.

    Raises:
        PreparedDataError: A label cannot be in every split.
    """
    counts = {head: _count(listing, splits, head) for head in HEADS}
    mover = _Mover(listing, splits, groups, shares, counts)
    moved = 0
    for head in HEADS:
        for label, split in np.argwhere(counts[head] == 0).tolist():
            if counts[head][label, split] == 0:
                mover.fill(head, label, split)
                moved += 1
    return moved


def _count(listing: Listing, splits: NDArray[np.int8], head: Head) -> Indices:
    """Return (labels, splits) numbers of images."""
    labels = listing.labels(head)
    known = labels >= 0
    size = (len(listing.taxonomy.names(head)), len(SPLITS))
    cells = labels[known].astype(np.int64) * len(SPLITS) + splits[known]
    return np.bincount(cells, minlength=size[0] * size[1]).reshape(size)


@dataclass(frozen=True, slots=True)
class _Mover:
    listing: Listing
    splits: NDArray[np.int8]
    groups: Indices
    shares: NDArray[np.float64]
    counts: dict[Head, Indices]

    def fill(self, head: Head, label: int, split: int) -> None:
        """Move a group that has the label into the split."""
        having = np.flatnonzero(self.listing.labels(head) == label)
        free = having[self.groups[having] != UNDECIDED]
        richness = self.counts[head][label, self.splits[free]]
        for candidate in free[np.lexsort((self.shares[free], -richness))].tolist():
            members = np.flatnonzero(self.groups == self.groups[candidate])
            if self._can_leave(members):
                self._move(members, split)
                return
        raise self._uncovered(head, label, split, len(having), len(np.unique(self.groups[free])))

    def _can_leave(self, members: Indices) -> bool:
        source = self.splits[members[0]]
        for head in HEADS:
            leaving = self._labels(head, members)
            if np.any((leaving > 0) & (leaving == self.counts[head][:, source])):
                return False
        return True

    def _move(self, members: Indices, split: int) -> None:
        source = self.splits[members[0]]
        for head in HEADS:
            leaving = self._labels(head, members)
            self.counts[head][:, source] -= leaving
            self.counts[head][:, split] += leaving
        self.splits[members] = split

    def _labels(self, head: Head, members: Indices) -> Indices:
        labels = self.listing.labels(head)[members]
        return np.bincount(labels[labels >= 0], minlength=len(self.counts[head]))

    def _uncovered(
        self, head: Head, label: int, split: int, images: int, free: int
    ) -> PreparedDataError:
        name = self.listing.taxonomy.names(head)[label]
        if not images:
            return PreparedDataError(
                f"{head} {name!r} of taxonomy.yaml has no image: add some, or remove the label"
            )
        return PreparedDataError(
            f"{head} {name!r} cannot be in train, val and test: its {images} images form {free} "
            f"groups that may move, and none can go to {SPLITS[split]} without leaving a gap "
            "(views of a product and near-duplicates stay together, and the manifest's splits are "
            "kept); add images of other products, or remove the label"
        )
