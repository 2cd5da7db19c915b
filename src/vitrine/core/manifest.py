"""manifest.csv: one row an image, read and written as a stream.

Columns: `image` (path under data/, with forward slashes), `style` and `category` (empty = unknown),
`product` (groups the views of one product; empty = the image alone), `title` (free text) and
`split` (`train`, `val`, `test`, or empty = decided by prepare).
"""

import csv
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from vitrine.core.errors import DataError
from vitrine.core.files import atomic_file
from vitrine.core.taxonomy import Taxonomy

COLUMNS = ("image", "style", "category", "product", "title", "split")
SPLITS = ("train", "val", "test")


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
            names file and line. Raised at the row concerned, while reading.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            _check_header(path, next(reader, []))
            first_line: dict[bytes, int] = {}
            for values in reader:
                where = f"{path.name} line {reader.line_num}"
                row = _parse(where, values, taxonomy)
                _check_repeated(where, row, first_line, reader.line_num)
                yield row
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing: fetch the data with `dvc pull data.dvc`, "
            "or make it with `vitrine import`"
        ) from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8 CSV"
        ) from None
    except csv.Error as error:
        raise DataError(f"{path} line {reader.line_num} is not valid CSV: {error}") from None


def _check_header(path: Path, header: list[str]) -> None:
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
    if row.split and row.split not in SPLITS:
        raise DataError(f"{where}: split must be train, val, test or empty, but got {row.split!r}")
    if taxonomy is not None:
        try:
            taxonomy.index("style", row.style)
            taxonomy.index("category", row.category)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
    return row


def _check_repeated(where: str, row: Row, first_line: dict[bytes, int], line: int) -> None:
    # 16 bytes a row instead of the path itself: a manifest may have very many rows.
    key = hashlib.blake2b(os.fsencode(row.image), digest_size=16).digest()
    if (first := first_line.setdefault(key, line)) != line:
        raise DataError(
            f"{where}: image {row.image!r} is already on line {first}; remove one of the two rows"
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

    def taxonomy(self) -> Taxonomy:
        """Read the taxonomy. Raises `DataError` when it is missing or wrong."""
        return Taxonomy.load(self.taxonomy_path)

    def rows(self) -> Iterator[Row]:
        """Yield the manifest's rows, labels checked against the taxonomy. Raises `DataError`."""
        return read_manifest(self.manifest_path, self.taxonomy())

    def path(self, row: Row) -> Path:
        """Return where a row's image lies."""
        return self.root / row.image
