"""Pairs of images that may be near-duplicates, by an index of their perceptual hashes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vitrine.quality.descriptors import GREY_SIDE, grey_levels, windows
from vitrine.quality.hashing import _bits, _cosines

_TABLES = 3
_TABLE_BITS = 21
"""A pair is found where one of 3 x 21 bits of its hashes differs in at most `_FLIPS`."""
_FLIPS = 1
_SHARD = 1 << 22
"""Hashes in one index at most: some 130 bytes each."""
_BLOCK = 8192
"""Images looked up at once."""
_NEAR, _FAR = 0.01, 0.03
"""What is cut off an image's sides, in shares of it, to meet crops of up to 4 % a side."""

Indices = NDArray[np.int64]
Hashes = NDArray[np.uint64]


class Rows(Protocol):
    """Descriptors by their places: (k,) int64 gives (k, 228) uint8. An array or a mapped file."""

    def __getitem__(self, places: Indices, /) -> NDArray[np.uint8]: ...


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs that may be near-duplicates.

    Attributes:
        first: (k,) places.
        second: (k,) places.
        mirrored: Whether the second image of each is to be mirrored.
    """

    first: Indices
    second: Indices
    mirrored: bool


def candidates(
    hashes: Hashes, mirrored: Hashes, descriptors: Rows, chosen: Indices, distance: int
) -> Iterator[Candidates]:
    """Yield the pairs of images whose hashes differ in few bits; some of them several times.

    Each hash, that of the mirrored image and those of five parts of the image are looked up in
    an index that cuts hashes into tables (Norouzi et al., Fast search in Hamming space with
    multi-index hashing, 2012). Looking up parts finds a crop at fewer bits than the hash of the
    whole image could: a wider search would propose most of a catalogue's T-shirts.

    Args:
        hashes: (n,) perceptual hashes.
        mirrored: (n,) those of the images seen in a mirror.
        descriptors: Of all n images.
        chosen: Places of the images to compare, each with all others; best in the order of their
            hashes.
        distance: Bits in which hashes may differ.
    """
    for start in range(0, len(chosen), _SHARD):
        shard = chosen[start : start + _SHARD]
        index = _Index(hashes[shard], distance)
        for block in range(0, len(chosen), _BLOCK):
            places = chosen[block : block + _BLOCK]
            parts = part_hashes(descriptors[places])
            asked = np.concatenate([hashes[places][None], parts])
            query, hit = index.near(asked.ravel())
            first, second = places[query % len(places)], shard[hit]
            # A hash meets each other one twice; a part does not.
            kept = (first < second) | ((query >= len(places)) & (first != second))
            yield Candidates(first[kept], second[kept], mirrored=False)
            query, hit = index.near(mirrored[places])
            first, second = places[query], shard[hit]
            kept = first != second
            yield Candidates(first[kept], second[kept], mirrored=True)


class _Index:
    """Hashes to be found by others that differ in few bits."""

    def __init__(self, hashes: Hashes, distance: int) -> None:
        import faiss

        self._distance = distance
        self._index = faiss.IndexBinaryMultiHash(64, _TABLES, _TABLE_BITS)
        self._index.nflip = _FLIPS
        self._index.add(_shuffled(hashes))

    def near(self, hashes: Hashes) -> tuple[Indices, Indices]:
        """Return pairs: which of these hashes, and which of the index lies near it."""
        order = np.argsort(hashes)  # neighbours meet the same parts of the index
        limits, _, hits = self._index.range_search(_shuffled(hashes[order]), self._distance + 1)
        counts = np.diff(limits.astype(np.int64))
        return np.repeat(order, counts), hits


def _shuffled(hashes: Hashes) -> NDArray[np.uint8]:
    """Return (n, 8) bytes whose bits are in an order that spreads each frequency over all tables.

    Neighbouring frequencies of product images go together, and so would a table of them.
    """
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    return np.packbits(bits[:, np.random.default_rng(0).permutation(64)], axis=1)


def part_hashes(described: NDArray[np.uint8]) -> Hashes:
    """Return (5, n) hashes that five parts of each image would have: the middle, four corners.

    They are computed from the smooth grey levels, and differ by up to 4 bits from true ones.
    """
    grey = grey_levels(described)
    hashes = [_bits(np.round(down @ grey @ across.T, 6)) for down, across in _parts()]
    return np.stack(hashes)


@cache
def _parts() -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
    """Return how the lowest frequencies of parts follow from smooth grey levels: (8, 14) each."""
    # Without the weakest singular values, which would only amplify rounding.
    sharpened = np.linalg.pinv(windows(GREY_SIDE).astype(np.float64), rcond=1e-2)

    def cut(low: float, high: float) -> NDArray[np.float64]:
        return np.asarray(_cosines() @ _stretched(low, high) @ sharpened)

    start, end = cut(_NEAR, _FAR), cut(_FAR, _NEAR)
    middle = cut((_NEAR + _FAR) / 2, (_NEAR + _FAR) / 2)
    corners = tuple((down, across) for down in (start, end) for across in (start, end))
    return ((middle, middle), *corners)


def _stretched(low: float, high: float) -> NDArray[np.float64]:
    """Return (64, 64) how the pixels of a row add up to those of a part of it, enlarged."""
    side = 64
    edges = np.linspace(side * low, side * (1 - high), side + 1)
    pixel = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    weights = np.maximum(overlap, 0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
