"""Near-duplicates among many images: the same picture re-encoded, resized, mirrored or cropped.

An index of the perceptual hashes proposes pairs, the descriptors decide. A hash alone does not:
on white ground, two T-shirts look alike to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vitrine.core.parallel import map_in_order
from vitrine.inputs.grouping import Groups
from vitrine.quality.candidates import Candidates, Rows, candidates
from vitrine.quality.descriptors import colour_differences, grey_levels, mirror
from vitrine.quality.likeness import similarities

_BLOCK = 4096
"""Pairs compared, or descriptors read, at once."""
_LOOKS = 16
"""Of images with one and the same hash, so many that look different are compared with all others.

Without a limit, flat images of many colours, which share one hash, would be compared each with
each.
"""
_FARTHEST = np.array([32, 14, 6, 6], np.int16)
"""How far near-duplicates may lie apart in an outline: more than crop and light account for."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Edges:
    """Groups of near-duplicates as pairs: from a group's lowest place to each of its others.

    Attributes:
        first: (k,) int64, below `second`.
        second: (k,) int64, each place at most once, in ascending order.
    """

    first: Indices
    second: Indices


def find_near_duplicates(
    hashes: NDArray[np.uint64],
    mirrored: NDArray[np.uint64],
    descriptors: Rows,
    distance: int,
    similarity: float,
) -> Edges:
    """Find the groups of images that show nearly the same picture.

    Two images belong together if they look alike and if the hash of one differs little from that
    of the other, of its mirror image, or of a part of it; groups are what is joined by such pairs.

    Memory holds some 200 bytes an image, the index included, whatever the images are like.

    Args:
        hashes: (n,) perceptual hashes.
        mirrored: (n,) those of the images seen in a mirror.
        descriptors: Of all n images.
        distance: Bits in which hashes may differ, 0 to 5; of pairs that differ in more, a part
            is found.
        similarity: How alike descriptors must be, see `vitrine.quality.likeness`.
    """
    if len(hashes) < 2:
        return Edges(np.empty(0, np.int64), np.empty(0, np.int64))
    search = _Search(hashes, descriptors, similarity)
    leaders = search.join_equal()
    for proposed in candidates(hashes, mirrored, descriptors, leaders, distance):
        search.join(proposed)
    return search.edges()


class _Search:
    def __init__(self, hashes: NDArray[np.uint64], descriptors: Rows, similarity: float) -> None:
        self._hashes = hashes
        self._descriptors = descriptors
        self._similarity = similarity
        self._outlines = _outlines(len(hashes), descriptors)
        self._found: list[tuple[Indices, Indices]] = []

    def join_equal(self) -> Indices:
        """Join images with equal hashes if they look alike.

        Returns:
            The places of those that stand for the others, in the order of their hashes.
        """
        rest: Indices = np.argsort(self._hashes, kind="stable")
        leaders = []
        for _ in range(_LOOKS):
            keys = self._hashes[rest]
            starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
            lengths = np.diff(np.append(starts, len(rest)))
            leaders.append(rest[starts])
            leading = np.repeat(rest[starts], lengths)
            others = leading != rest
            leading, rest = leading[others], rest[others]
            alike = self._join(Candidates(leading, rest, mirrored=False))
            rest = rest[~alike]
            if not len(rest):
                break
        else:
            self._join_neighbours(rest)
        chosen = np.concatenate(leaders)
        return chosen[np.argsort(self._hashes[chosen], kind="stable")]

    def _join_neighbours(self, places: Indices) -> None:
        outlines = self._outlines[places]
        order = np.lexsort((*outlines.T, self._hashes[places]))
        places = places[order]
        self._join(Candidates(places[:-1], places[1:], mirrored=False))

    def join(self, proposed: Candidates) -> None:
        """Join the pairs that look alike."""
        near = self._near(proposed.first, proposed.second)
        low = np.minimum(proposed.first[near], proposed.second[near])
        high = np.maximum(proposed.first[near], proposed.second[near])
        pairs = np.sort(low * len(self._hashes) + high)
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        low, high = np.divmod(pairs, len(self._hashes))
        self._join(Candidates(low, high, proposed.mirrored))

    def _join(self, proposed: Candidates) -> NDArray[np.bool_]:
        """Join the pairs that look alike; say which do."""
        alike = self._near(proposed.first, proposed.second)
        near = np.flatnonzero(alike)
        blocks = [near[start : start + _BLOCK] for start in range(0, len(near), _BLOCK)]
        verdicts = map_in_order(partial(self._alike, proposed), blocks, workers=0, chunk=1)
        for block, verdict in zip(blocks, verdicts, strict=True):
            alike[block] = verdict
        self._found.append((proposed.first[alike], proposed.second[alike]))
        return alike

    def _alike(self, proposed: Candidates, block: Indices) -> NDArray[np.bool_]:
        first = self._descriptors[proposed.first[block]]
        second = self._descriptors[proposed.second[block]]
        if proposed.mirrored:
            second = mirror(second)
        likeness = similarities(first, second, self._similarity)
        return np.asarray(likeness >= self._similarity)

    def _near(self, first: Indices, second: Indices) -> NDArray[np.bool_]:
        """Say of which pairs the outlines do not rule out that they look alike."""
        near = np.empty(len(first), np.bool_)
        for start in range(0, len(first), 64 * _BLOCK):
            block = slice(start, start + 64 * _BLOCK)
            apart = self._outlines[first[block]].astype(np.int16)
            apart -= self._outlines[second[block]]
            near[block] = (np.abs(apart) <= _FARTHEST).all(axis=1)
        return near

    def edges(self) -> Edges:
        """Return what was joined."""
        groups = Groups(len(self._hashes))
        first, second = (np.concatenate(side) for side in zip(*self._found, strict=True))
        groups.join(first, second)
        members = np.flatnonzero(groups.roots != np.arange(len(self._hashes)))
        return Edges(groups.roots[members], members)


def _outlines(count: int, descriptors: Rows) -> NDArray[np.uint8]:
    """Return (n, 4) mean and spread of the grey levels, mean differences of blue and of red."""
    outlines = np.empty((count, 4), np.uint8)
    for places in _blocks(count):
        described = descriptors[places]
        grey = grey_levels(described)
        colour = colour_differences(described).mean(axis=(2, 3)) + 128
        values = (grey.mean(axis=(1, 2)), grey.std(axis=(1, 2)), *colour.T)
        outlines[places] = np.rint(np.stack(values, axis=1))
    return outlines


def _blocks(count: int) -> Iterator[Indices]:
    for start in range(0, count, _BLOCK):
        yield np.arange(start, min(count, start + _BLOCK))
