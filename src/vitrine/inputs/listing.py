"""What `prepare` keeps of every image while it decides: about thirty bytes and the name."""

import hashlib
from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vitrine.core.manifest import SPLITS, Row
from vitrine.core.taxonomy import HEADS, Head, Taxonomy

UNDECIDED = -1


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


@dataclass(slots=True)
class Listing:
    """The rows of a manifest in compact columns, in its order.

    Texts that are only compared (products, digests of files) are kept as 64-bit numbers.

    Args:
        taxonomy: The labels behind the indices.
    """

    taxonomy: Taxonomy
    _names: bytearray = field(default_factory=bytearray)
    _ends: "array[int]" = field(default_factory=lambda: array("Q"))
    _products: "array[int]" = field(default_factory=lambda: array("Q"))
    _contents: "array[int]" = field(default_factory=lambda: array("Q"))
    _given: "array[int]" = field(default_factory=lambda: array("b"))
    _labels: dict[Head, "array[int]"] = field(
        default_factory=lambda: {head: array("i") for head in HEADS}
    )

    def add(self, row: Row, sha256: str) -> None:
        """Append a row with the digest (hex) of its file."""
        self._names += row.image.encode()
        self._ends.append(len(self._names))
        self._products.append(_number(row.product) if row.product else 0)
        self._contents.append(content_number(sha256))
        self._given.append(SPLITS.index(row.split) if row.split else UNDECIDED)
        self._labels["style"].append(self.taxonomy.index("style", row.style))
        self._labels["category"].append(self.taxonomy.index("category", row.category))

    def __len__(self) -> int:
        return len(self._ends)

    def name(self, index: int) -> str:
        """Return the image path of a row."""
        start = self._ends[index - 1] if index else 0
        return self._names[start : self._ends[index]].decode()

    def label(self, head: Head, index: int) -> int:
        """Return a row's output index for a head; -1 = unknown."""
        return self._labels[head][index]

    def content(self, index: int) -> int:
        """Return the number of a row's file bytes, as `content_number` gives it."""
        return self._contents[index]

    @property
    def products(self) -> NDArray[np.uint64]:
        """(n,) numbers that are equal for equal products; 0 = no product."""
        return np.frombuffer(self._products, np.uint64)

    @property
    def contents(self) -> NDArray[np.uint64]:
        """(n,) numbers that are equal for equal bytes."""
        return np.frombuffer(self._contents, np.uint64)

    @property
    def given(self) -> NDArray[np.int8]:
        """(n,) places in `SPLITS` that the manifest gives; -1 = undecided."""
        return np.frombuffer(self._given, np.int8)

    def labels(self, head: Head) -> NDArray[np.int32]:
        """Return (n,) output indices of a head; -1 = unknown."""
        return np.frombuffer(self._labels[head], np.int32)


def content_number(sha256: str) -> int:
    """Return the first 64 bits of a hex digest."""
    return int(sha256[:16], 16)
