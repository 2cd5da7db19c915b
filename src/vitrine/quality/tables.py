"""The tables that are checked: the manifest's rows with their facts, the files, the classes."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vitrine.core.manifest import Catalogue, Row, read_manifest
from vitrine.core.taxonomy import HEADS, Head, Taxonomy

_FACTS = ["image", "readable", "reason", "format", "width", "height", "bytes", "sha256", "contrast"]
_NULLABLE = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}
_AT_ONCE = 4096
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to be checked.

    Attributes:
        frame: The rows, numbered from 0.
        keys: The columns that together name a row.
    """

    frame: pd.DataFrame
    keys: tuple[str, ...]

    def rows(self, places: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Yield the rows at these places, counted from 0, as dictionaries by column."""
        for start in range(0, len(places), _AT_ONCE):
            part = self.frame.iloc[list(places[start : start + _AT_ONCE])]
            yield from cast(list[dict[str, Any]], part.to_dict("records"))


def build_tables(catalogue: Catalogue, taxonomy: Taxonomy, facts: Path) -> dict[str, Table]:
    """Read manifest, facts and the names of the files into tables.

    Args:
        catalogue: The data folder.
        taxonomy: Its taxonomy.
        facts: The Parquet file that was measured from the same manifest.

    Returns:
        By name: `images`, one row a manifest row, with `line`, `image`, `style` and `category`
        (empty = null), its facts, and `exists`, `fault`, `shorter_side`, `aspect_ratio`, `pair`,
        `repeats` and `conflict`; `files`, one row a file in images/, with `image` and `listed`,
        whether the manifest names it; `classes`, one row a class, with `head`, `label` and
        `images`, how many have it.
    """
    images = _images(catalogue, facts)
    known = set(images["image"])
    names = list(_files(catalogue.root))
    files = pd.DataFrame({"image": names, "listed": [name in known for name in names]})
    return {
        "images": Table(images, ("line", "image")),
        "files": Table(files, ("image",)),
        "classes": Table(_classes(images, taxonomy), ("head", "label")),
    }


def numbered_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield the rows of a manifest with their line numbers; labels are not looked up.

    Raises:
        DataError: As `read_manifest`.
    """
    line = 1
    for row in read_manifest(path):
        text = "".join(getattr(row, column.name) for column in fields(Row))
        line += 1 + len(_LINE_BREAK.findall(text))
        yield line, row


def _images(catalogue: Catalogue, facts: Path) -> pd.DataFrame:
    manifest: dict[str, list[Any]] = {"line": [], "style": [], "category": []}
    for line, row in numbered_rows(catalogue.manifest_path):
        manifest["line"].append(line)
        for head in HEADS:
            manifest[head].append(getattr(row, head) or None)
    measured = pq.read_table(facts, columns=_FACTS).to_pandas(types_mapper=_NULLABLE.get)
    images = pd.DataFrame(manifest).astype({"style": "str", "category": "str"}).join(measured)
    images["exists"] = images["bytes"].notna()
    images["fault"] = images["reason"].where(images["exists"] & ~images["readable"])
    sides = images[["width", "height"]]
    images["shorter_side"] = sides.min(axis=1)
    images["aspect_ratio"] = sides.max(axis=1) / sides.min(axis=1)
    images["pair"] = images["style"] + " + " + images["category"]
    return images.join(_duplicates(images))


def _duplicates(images: pd.DataFrame) -> pd.DataFrame:
    """Return `repeats` for rows with bytes seen before, and `conflict` where labels differ."""
    again = images[images["sha256"].notna() & images["sha256"].duplicated(keep=False)]
    repeats: dict[Any, str] = {}
    conflict: dict[Any, str] = {}
    for _, group in again.groupby("sha256", sort=False):
        first, *others = group.to_dict("index").items()
        known = dict.fromkeys(HEADS, first[1])
        for index, row in others:
            repeats[index] = first[1]["image"]
            for head in HEADS:
                if pd.isna(known[head][head]):
                    known[head] = row
                elif pd.notna(row[head]) and row[head] != known[head][head]:
                    conflict[index] = _conflict(head, row, known[head])
    columns = {"repeats": repeats, "conflict": conflict}
    return pd.DataFrame(
        {name: pd.Series(found, dtype="str") for name, found in columns.items()},
        index=images.index,
    )


def _conflict(head: Head, row: Mapping[Any, Any], other: Mapping[Any, Any]) -> str:
    return (
        f"the file has the same bytes as {other['image']} (line {other['line']}), "
        f"but the {head} {row[head]!r} instead of {other[head]!r}"
    )


def _files(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root / "images"):
        inside = Path(folder).relative_to(root)
        yield from ((inside / name).as_posix() for name in sorted(names))


def _classes(images: pd.DataFrame, taxonomy: Taxonomy) -> pd.DataFrame:
    counts = {head: images[head].value_counts() for head in HEADS}
    rows = [
        (head, label, int(counts[head].get(label, 0)))
        for head in HEADS
        for label in taxonomy.names(head)
    ]
    return pd.DataFrame(rows, columns=["head", "label", "images"])
