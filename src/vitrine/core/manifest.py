"""manifest.csv: one row an image, read and written as a stream.

Columns: `image` (path under data/, with forward slashes), `style` and `category` (empty = unknown),
`product` (groups the views of one product; empty = the image alone), `title` (free text) and
`split` (`train`, `val`, `test`, or empty = decided by prepare).
"""

import csv
import hashlib
import os
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from types import TracebackType
from typing import Self, TextIO

import numpy as np

from vitrine.core.errors import DataError
from vitrine.core.files import atomic_file
from vitrine.core.taxonomy import Taxonomy

COLUMNS = ("image", "style", "category", "product", "title", "split")
SPLITS = ("train", "val", "test")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Row:
    """One image of the catalogue with what is known of it. Empty text means unknown."""

    image: str
    style: str = ""
    category: str = ""
    product: str = ""
    title: str = ""
    split: str = ""


def read_manifest(path: Path, taxonomy: Taxonomy | None = None) -> Iterator[Row]:
    """Yield the rows of a manifest one by one, in the file's order, each checked.

    Args:
        path: The manifest.csv.
        taxonomy: What labels are allowed; without one, labels are not looked up.

    Raises:
        DataError: A column is missing, the encoding is not UTF-8, or a row is wrong. The message
            names file and line. Raised at the row concerned, while reading; that two rows name the
            same image, at the end.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            numbers = array("Q")
            for row in parse_manifest(file, path, taxonomy):
                numbers.append(_number(row.image))
                yield row
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing: fetch the data with `dvc pull data.dvc`, "
            "or make it with `vitrine import`"
        ) from None
    _check_repeated(path, numbers)


def numbered_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield the rows of a manifest with their line numbers; labels are not looked up.

    Raises:
        DataError: As `read_manifest`.
    """
    line = 1
    for row in read_manifest(path):
        text = "".join(getattr(row, name) for name in COLUMNS)
        line += 1 + len(_LINE_BREAK.findall(text))
        yield line, row


def parse_manifest(file: TextIO, path: PurePath, taxonomy: Taxonomy | None = None) -> Iterator[Row]:
    """Yield the rows of an open manifest one by one, each checked by itself.

    Args:
        file: Opened as UTF-8 (`utf-8-sig`) with `newline=""`.
        path: What the errors call it.
        taxonomy: What labels are allowed; without one, labels are not looked up.

    Raises:
        DataError: As `read_manifest`, repeated images aside.
    """
    reader = csv.reader(file, strict=True)
    try:
        _check_header(path, next(reader, []))
        for values in reader:
            yield _parse(f"{path.name} line {reader.line_num}", values, taxonomy)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8 CSV"
        ) from None
    except csv.Error as error:
        raise DataError(f"{path} line {reader.line_num} is not valid CSV: {error}") from None


def _check_header(path: PurePath, header: list[str]) -> None:
    if tuple(header) == COLUMNS:
        return
    missing = [column for column in COLUMNS if column not in header]
    problem = f"has no column {missing[0]!r}" if missing else "has other columns or another order"
    raise DataError(
        f"{path.name} line 1: {problem}; "
        f"the header must be {','.join(COLUMNS)}, but got {','.join(header)}"
    )


def _parse(where: str, values: list[str], taxonomy: Taxonomy | None) -> Row:
    if len(values) != len(COLUMNS):
        raise DataError(
            f"{where}: must have {len(COLUMNS)} values ({', '.join(COLUMNS)}), "
            f"but got {len(values)}"
        )
    row = Row(*values)
    path = PurePosixPath(row.image)
    if not row.image or path.is_absolute() or ".." in path.parts or "\\" in row.image:
        raise DataError(
            f"{where}: image {row.image!r} must be a path under data/ with forward slashes; "
            "correct the row"
        )
    if str(path) != row.image:  # else two rows could name one file
        raise DataError(f"{where}: image {row.image!r} must be written {str(path)!r}")
    if row.split and row.split not in SPLITS:
        raise DataError(f"{where}: split must be train, val, test or empty, but got {row.split!r}")
    if taxonomy is not None:
        try:
            taxonomy.index("style", row.style)
            taxonomy.index("category", row.category)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
    return row


def _number(image: str) -> int:
    # 8 bytes a row instead of the path itself: a manifest may have very many rows.
    digest = hashlib.blake2b(os.fsencode(image), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _check_repeated(path: Path, numbers: "array[int]") -> None:
    """Raise `DataError` if two rows name the same image; `numbers` has that of every row's."""
    ordered = np.sort(np.frombuffer(numbers, np.uint64))
    again = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    if not again:
        return
    first_line: dict[str, int] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        for image, *_ in reader:
            if _number(image) in again:
                first = first_line.setdefault(image, reader.line_num)
                if first != reader.line_num:
                    raise DataError(
                        f"{path.name} line {reader.line_num}: image {image!r} is already on line "
                        f"{first}; remove one of the two rows"
                    )


class ManifestWriter:
    """Writes a manifest row by row; the file appears, whole, when the context ends well."""

    def __init__(self, path: Path) -> None:
        self._replacement = atomic_file(path)
        self.rows = 0

    def __enter__(self) -> Self:
        self._file = self._replacement.__enter__().open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(COLUMNS)
        return self

    def write(self, row: Row) -> None:
        """Append one row."""
        self._writer.writerow([getattr(row, column) for column in COLUMNS])
        self.rows += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._file.close()
        return self._replacement.__exit__(kind, error, trace)


class Catalogue:
    """The data folder: manifest.csv, taxonomy.yaml and images/.

    Args:
        root: The folder, usually `data`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest_path = root / "manifest.csv"
        self.taxonomy_path = root / "taxonomy.yaml"
        self.quarantine_path = root / "quarantine.csv"

    def taxonomy(self) -> Taxonomy:
        """Read the taxonomy. Raises `DataError` when it is missing or wrong."""
        return Taxonomy.load(self.taxonomy_path)

    def rows(self) -> Iterator[Row]:
        """Yield the manifest's rows, labels checked against the taxonomy. Raises `DataError`."""
        return read_manifest(self.manifest_path, self.taxonomy())

    def path(self, row: Row) -> Path:
        """Return where a row's image lies."""
        return self.root / row.image
