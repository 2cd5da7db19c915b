"""Near-duplicates of a catalogue, found once by `validate` and kept for `prepare`."""

import tempfile
from array import array
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vitrine.core.errors import DataError
from vitrine.core.files import atomic_file
from vitrine.core.params import IntegrityParams
from vitrine.quality.descriptors import DESCRIPTOR_BYTES
from vitrine.quality.facts import read_columns
from vitrine.quality.near_duplicates import Edges, find_near_duplicates

NEAR_FILE = "near_duplicates.parquet"
_SCHEMA = pa.schema([pa.field("first", pa.int64()), pa.field("second", pa.int64())])


def near_duplicates(facts: Path, section: IntegrityParams) -> Edges:
    """Return which images of a catalogue show nearly the same, equal files aside.

    The descriptors lie in a temporary file meanwhile, and 32 bytes an image in memory.

    Args:
        facts: The Parquet file of the catalogue's facts.
        section: The limits of likeness.

    Returns:
        Pairs of places in the manifest, counted from 0: from the first image of a group to each
        of the others.
    """
    places, hashes, mirrored, contents = (array(kind) for kind in "qQQQ")
    columns = ["phash", "mirror_hash", "sha256", "descriptor"]
    with tempfile.TemporaryFile() as file:
        for place, (phash, mirror, sha256, descriptor) in enumerate(read_columns(facts, columns)):
            if phash is not None:
                places.append(place)
                hashes.append(phash)
                mirrored.append(mirror)
                contents.append(int(sha256[:16], 16))
                file.write(descriptor)
        if not places:
            return Edges(np.empty(0, np.int64), np.empty(0, np.int64))
        file.flush()
        described = np.memmap(file, np.uint8, "r", shape=(len(places), DESCRIPTOR_BYTES))
        # Of equal files the first one stands for all.
        _, chosen = np.unique(np.frombuffer(contents, np.uint64), return_index=True)
        chosen.sort()
        found = find_near_duplicates(
            np.frombuffer(hashes, np.uint64)[chosen],
            np.frombuffer(mirrored, np.uint64)[chosen],
            _Rows(described, chosen),
            section.near_duplicate_distance,
            section.near_duplicate_similarity,
        )
    where = np.frombuffer(places, np.int64)[chosen]
    return Edges(where[found.first], where[found.second])


class _Rows:
    """Some rows of a large array, picked when they are asked for."""

    def __init__(self, rows: NDArray[np.uint8], chosen: NDArray[np.int64]) -> None:
        self._rows = rows
        self._chosen = chosen

    def __getitem__(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        return self._rows[self._chosen[places]]


def write_edges(path: Path, edges: Edges) -> None:
    """Write pairs of places as Parquet, atomically."""
    with atomic_file(path) as temporary:
        columns = {"first": edges.first, "second": edges.second}
        pq.write_table(pa.table(columns, schema=_SCHEMA), temporary)


def read_edges(path: Path) -> Edges:
    """Read what `write_edges` wrote.

    Raises:
        DataError: The file is missing or is not what `validate` writes.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise DataError(f"{path} is missing: make it with `vitrine validate`") from None
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is damaged ({error}): make it with `vitrine validate`") from None
    if not table.schema.equals(_SCHEMA):
        raise DataError(
            f"{path} has other columns than this version writes: make it with `vitrine validate`"
        )
    return Edges(table["first"].to_numpy(), table["second"].to_numpy())
