"""A CSV or Parquet table with a row for each image, whatever its columns are called."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from vitrine.core.errors import ImportFailed
from vitrine.core.taxonomy import Taxonomy
from vitrine.importers.source import Candidate, Remark, known, split_name

_PARQUET = (".parquet", ".pq")
_BATCH = 4096


class Table:
    """Images that a table lists by path.

    Args:
        path: A .parquet file, or any other for CSV; commas, semicolons and tabs are told apart.
        columns: Which column holds a field (image, style, category, product, title, split). None =
            the column called like the field, if there is one.
        images: The folder that relative paths start from; None = the table's own.
        encoding: Of a CSV file.
    """

    def __init__(
        self, path: Path, columns: Mapping[str, str | None], images: Path | None, encoding: str
    ) -> None:
        self.root = path
        self.title = path.name
        self._columns = columns
        self._images = path.parent if images is None else images
        self._encoding = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding

    def taxonomy(self) -> Taxonomy | None:
        """Return None: the labels are what the columns hold."""
        return None

    def __iter__(self) -> Iterator[Candidate | Remark]:
        """Yield the rows in the table's order."""
        if not self.root.is_file():
            raise ImportFailed(f"{self.root} is not a file: give a CSV or Parquet table")
        is_parquet = self.root.suffix.lower() in _PARQUET
        rows = self._parquet_rows() if is_parquet else self._csv_rows()
        _, header = next(rows)
        places = self._places(header)
        for origin, values in rows:
            if len(values) == len(header):
                yield self._candidate(origin, {f: known(values[i]) for f, i in places.items()})
            elif values:
                reason = f"must have {len(header)} values, as the header has, but got {len(values)}"
                yield Remark(origin, reason)

    def _places(self, header: list[str]) -> dict[str, int]:
        """Return the column number of every field that the table has."""
        places: dict[str, int] = {}
        for field, column in self._columns.items():
            name = field if column is None else column
            if name in header:
                places[field] = header.index(name)
            elif column is not None or field == "image":
                raise ImportFailed(
                    f"{self.root} has no column {name!r}: say with --{field} which one holds it. "
                    f"There are: {', '.join(header)}"
                )
        if not {"style", "category"} & set(places):
            raise ImportFailed(
                f"{self.root} has neither a column 'style' nor 'category': say with --style or "
                f"--category which one holds it. There are: {', '.join(header)}"
            )
        return places

    def _candidate(self, origin: str, fields: dict[str, str]) -> Candidate | Remark:
        image = fields.pop("image")
        if not image:
            return Remark(origin, "names no image")
        split = split_name(given := fields.pop("split", ""))
        if split is None:
            return Remark(origin, f"split must be train, val, test or empty, but got {given!r}")
        path = self._images / image
        name = path.name if Path(image).is_absolute() else image
        return Candidate(f"{origin} ({image})", name, path, split=split, **fields)

    def _csv_rows(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the header and every row, each with where it stands."""
        line = 1
        try:
            with self.root.open(encoding=self._encoding, newline="") as file:
                header = file.readline()
                file.seek(0)
                reader = csv.reader(file, delimiter=max(",;\t", key=header.count), strict=True)
                if not header.strip():
                    raise ImportFailed(
                        f"{self.root} is empty: its first line must name the columns"
                    )
                for values in reader:
                    yield f"{self.root.name} line {line}", values
                    line = reader.line_num + 1
        except (UnicodeError, LookupError) as error:
            raise ImportFailed(
                f"{self.root} cannot be read as {self._encoding} ({error}): "
                "name its encoding, with --encoding gb18030, say, or save it as UTF-8"
            ) from None
        except csv.Error as error:
            raise ImportFailed(f"{self.root} line {line} is not valid CSV: {error}") from None

    def _parquet_rows(self) -> Iterator[tuple[str, list[str]]]:
        import pyarrow
        import pyarrow.parquet

        try:
            with pyarrow.parquet.ParquetFile(self.root) as file:
                yield "", list(file.schema_arrow.names)
                row = 0
                for batch in file.iter_batches(batch_size=_BATCH):
                    for values in zip(*(column.to_pylist() for column in batch), strict=True):
                        row += 1
                        texts = ["" if value is None else str(value) for value in values]
                        yield f"{self.root.name} row {row}", texts
        except pyarrow.ArrowInvalid as error:
            raise ImportFailed(f"{self.root} is not a valid Parquet file: {error}") from None
