"""Pairs of images that may be near-duplicates, by an index of their perceptual hashes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vitrine.quality.descriptors import GREY_SIDE, grey_levels, windows
from vitrine.quality.hashing import cosines

_BITS = 64
_TABLES = 3
_TABLE_BITS = 21
"""The index cuts hashes into 3 x 21 bits, and finds what differs in few bits of one of these."""
_SHARD = 1 << 22
"""Hashes in one index at most: some 150 bytes each."""
_BLOCK = 8192
"""Images looked up at once."""
_SAMPLE = 1 << 16
_ORDERS = 24
"""How many random orders of the bits are tried, on how many hashes."""
_CUTS = ((0.01, 0.01), (0.01, 0.03), (0.03, 0.01), (0.03, 0.03))
"""What is cut off two opposite sides of an image, in shares of it: each pair across with each pair
down makes 16 parts, one of which is not far from any crop of up to 4 % a side."""

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

    Each hash and that of the mirrored image are looked up in an index that cuts hashes into
    tables (Norouzi et al., Fast search in Hamming space with multi-index hashing, 2012), with one
    bit changed in each table, so that all pairs are found that differ in at most 5 bits. The
    hashes of sixteen parts of each image are looked up as they are. Together, these find more
    crops at 4 bits than the hash of the whole image does at 10, where it would find most of a
    catalogue's T-shirts as well.

    Args:
        hashes: (n,) perceptual hashes.
        mirrored: (n,) those of the images seen in a mirror.
        descriptors: Of all n images.
        chosen: Places of the images to compare, each with all others.
        distance: Bits in which hashes may differ.
    """
    for start in range(0, len(chosen), _SHARD):
        shard = chosen[start : start + _SHARD]
        index = _Index(hashes[shard], distance)
        for block in range(0, len(chosen), _BLOCK):
            places = chosen[block : block + _BLOCK]
            for flipped, mirror, asked in (
                (1, False, hashes[places][None]),
                (1, True, mirrored[places][None]),
                (0, False, part_hashes(descriptors[places])),
            ):
                query, hit = index.near(asked.ravel(), flipped)
                first, second = places[query % len(places)], shard[hit]
                # A whole image meets each other one twice.
                kept = first < second if flipped and not mirror else first != second
                yield Candidates(first[kept], second[kept], mirror)


class _Index:
    """Hashes to be found by others that differ in few bits."""

    def __init__(self, hashes: Hashes, distance: int) -> None:
        import faiss

        self._distance = distance
        self._order = _bit_order(hashes)
        self._index = faiss.IndexBinaryMultiHash(_BITS, _TABLES, _TABLE_BITS)
        self._index.add(_codes(hashes, self._order))

    def near(self, hashes: Hashes, flipped: int) -> tuple[Indices, Indices]:
        """Return pairs: which of these hashes, and which of the index lies near it.

        Args:
            hashes: (k,) hashes.
            flipped: Bits that may differ in the table that finds a pair.
        """
        self._index.nflip = flipped
        codes = _codes(hashes, self._order)
        limits, _, hits = self._index.range_search(codes, self._distance + 1)
        counts = np.diff(limits.astype(np.int64))
        return np.repeat(np.arange(len(hashes)), counts), hits


def _codes(hashes: Hashes, order: Indices) -> NDArray[np.uint8]:
    """Return (n, 8) bytes that hold the bits of hashes in another order."""
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    return np.packbits(bits.take(order, axis=1), axis=1, bitorder="little")


def _bit_order(hashes: Hashes) -> Indices:
    """Return (64,) an order of bits that spreads hashes over the entries of all tables.

    Some frequencies of product images go together: a table of these has a few full entries, which
    take long to compare.
    """
    sample = hashes[:: max(1, len(hashes) // _SAMPLE)]
    mask = (1 << _TABLE_BITS) - 1

    def meetings(order: Indices) -> int:
        codes = _codes(sample, order).view("<u8").ravel()
        keys = [
            codes >> np.uint64(_TABLE_BITS * table) & np.uint64(mask) for table in range(_TABLES)
        ]
        return sum(int(np.square(np.unique(key, return_counts=True)[1]).sum()) for key in keys)

    orders = (np.random.default_rng(seed).permutation(_BITS) for seed in range(_ORDERS))
    return min(orders, key=meetings)


def part_hashes(described: NDArray[np.uint8]) -> Hashes:
    """Return (16, n) hashes that parts of each image would have.

    They are computed from the smooth grey levels, and differ by up to 4 bits from true ones.

    Args:
        described: (n, 228) descriptors.
    """
    grey = grey_levels(described)
    hashes = []
    for down in _parts():
        rows = down @ grey
        for across in _parts():
            # Rounded, so that the noise of the arithmetic does not decide the bits of a flat image.
            low = np.round(rows @ across.T, 2).reshape(len(grey), _BITS)
            ordered = np.sort(low, axis=1)
            middle = (ordered[:, _BITS // 2 - 1] + ordered[:, _BITS // 2]) / 2
            packed = np.packbits(low > middle[:, None], axis=1)
            hashes.append(packed.view(">u8").ravel().astype(np.uint64))
    return np.stack(hashes)


@cache
def _parts() -> tuple[NDArray[np.float32], ...]:
    """Return how the frequencies of parts follow from smooth grey levels: (8, 14) for each cut."""
    # Without the weakest singular values, which would only amplify rounding.
    sharpened = np.linalg.pinv(windows(GREY_SIDE).astype(np.float64), rcond=1e-2)
    return tuple((cosines() @ _stretched(*cut) @ sharpened).astype(np.float32) for cut in _CUTS)


def _stretched(low: float, high: float) -> NDArray[np.float64]:
    """Return (64, 64) how the pixels of a row add up to those of a part of it, enlarged."""
    side = 64
    edges = np.linspace(side * low, side * (1 - high), side + 1)
    pixel = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    weights = np.maximum(overlap, 0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
