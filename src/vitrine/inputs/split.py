"""Which image goes to train, val and test: by group, stable when rows are added."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.core.manifest import SPLITS
from vitrine.core.params import PrepareParams
from vitrine.inputs.coverage import cover
from vitrine.inputs.grouping import Indices, group_images
from vitrine.inputs.listing import UNDECIDED, Listing

TRAIN, VAL, TEST = range(len(SPLITS))


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where every image goes, and how that came about.

    Args:
        splits: (n,) int8 places in `SPLITS`.
        groups: Number of groups that were kept together.
        largest: Images in the largest group.
        moved: Groups that were moved so that every class is in every split.
    """

    splits: NDArray[np.int8]
    groups: int
    largest: int
    moved: int


def assign(listing: Listing, section: PrepareParams, near: tuple[Indices, Indices]) -> Assignment:
    """Decide the split of every image of a listing.

    Views of one product, equal files and near-duplicates form groups (joined through common
    members), and a group goes where the hash of its first image's product, or of its file where
    there is none, says: rows that are added later do not move it. A split that the manifest gives
    wins, for the row and for the undecided rows of its group. At last, groups move until every
    label is in every split.

    Args:
        listing: The images.
        section: The shares and the seed.
        near: Two arrays of images that show nearly the same.

    Raises:
        PreparedDataError: A label cannot be in train, val and test; the message names it.
    """
    roots = group_images(listing.products, listing.contents, near)
    keys = np.where(listing.products != 0, listing.products, listing.contents)[roots]
    shares = hash_shares(keys, section.seed)
    splits = np.full(len(listing), TRAIN, np.int8)
    splits[shares < section.test_share + section.val_share] = VAL
    splits[shares < section.test_share] = TEST
    fixed = _apply_given(splits, listing.given, roots)
    moved = cover(listing, splits, np.where(fixed, UNDECIDED, roots), shares)
    sizes = np.bincount(roots)
    return Assignment(splits, int(np.count_nonzero(sizes)), int(sizes.max()), moved)


def hash_shares(keys: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """Return (n,) numbers in [0, 1), evenly spread and fixed by key and seed.

    The mixing function of SplitMix64: Steele, Lea and Flood, Fast splittable pseudorandom number
    generators, 2014.
    """
    mixed = keys + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _apply_given(
    splits: NDArray[np.int8], given: NDArray[np.int8], roots: Indices
) -> NDArray[np.bool_]:
    """Write the manifest's splits over the hashed ones.

    Returns:
        (n,) whether an image's group is fixed by the manifest.
    """
    decided = np.flatnonzero(given != UNDECIDED)
    lowest = np.full(len(given), len(SPLITS), np.int8)
    highest = np.full(len(given), UNDECIDED, np.int8)
    np.minimum.at(lowest, roots[decided], given[decided])
    np.maximum.at(highest, roots[decided], given[decided])
    fixed: NDArray[np.bool_] = highest[roots] != UNDECIDED
    # In a torn group the undecided rows go to train rather than to test: lowest first.
    splits[fixed] = lowest[roots[fixed]]
    splits[decided] = given[decided]
    return fixed
