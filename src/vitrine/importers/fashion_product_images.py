"""The public set "Fashion Product Images", full or small: styles.csv and images/<id>.jpg."""

import csv
from collections.abc import Iterator
from pathlib import Path

from vitrine.core.errors import ImportFailed
from vitrine.core.taxonomy import Taxonomy
from vitrine.importers.source import Candidate, Remark, known

_TABLE = "styles.csv"
_TITLE = "productDisplayName"


class FashionProductImages:
    """The set as it ships.

    Items of one name count as one product, so that variants of it stay on one side of a split. The
    set leaves commas in the last column, the name, unquoted: such a row is mended, with a note.

    Args:
        root: The folder that holds styles.csv and images/.
        style: The column whose values are the styles, such as `usage`.
        category: The column whose values are the categories, such as `subCategory`.
    """

    title = "fashion-product-images"

    def __init__(self, root: Path, style: str, category: str) -> None:
        self.root = root
        self._style = style
        self._category = category

    def taxonomy(self) -> Taxonomy | None:
        """Return None: the labels are what the columns hold."""
        return None

    def __iter__(self) -> Iterator[Candidate | Remark]:
        """Yield the rows in the file's order."""
        try:
            with (self.root / _TABLE).open("rb") as file:
                header = _fields(next(file, b"").removeprefix(b"\xef\xbb\xbf")) or []
                self._check(header)
                for line, raw in enumerate(file, start=2):
                    if raw.strip():
                        yield self._row(f"{_TABLE} line {line}", _fields(raw), header)
        except (FileNotFoundError, NotADirectoryError):
            raise ImportFailed(
                f"{self.root / _TABLE} is missing: give the folder that holds {_TABLE} and images/"
            ) from None

    def _check(self, header: list[str]) -> None:
        for column in ("id", self._style, self._category, _TITLE):
            if column not in header:
                raise ImportFailed(
                    f"{self.root / _TABLE} has no column {column!r}; there are: {', '.join(header)}"
                )

    def _row(self, where: str, values: list[str] | None, header: list[str]) -> Candidate | Remark:
        if values is None:
            return Remark(where, "the line is no UTF-8 CSV")
        note = ""
        if len(values) > len(header) and header[-1] == _TITLE:
            last = len(header) - 1
            values = [*values[:last], ",".join(values[last:])]
            note = (
                f"{_TITLE} holds commas without quotes; the rest of the line is taken as the name"
            )
        if len(values) != len(header):
            return Remark(where, f"must have {len(header)} values, but got {len(values)}")
        row = dict(zip(header, map(known, values), strict=True))
        file = f"{row['id']}.jpg"
        return Candidate(
            origin=f"{where} (images/{file})",
            name=file,
            picture=self.root / "images" / file,
            style=row[self._style],
            category=row[self._category],
            product=row[_TITLE],
            title=row[_TITLE],
            note=note,
        )


def _fields(raw: bytes) -> list[str] | None:
    """Return the values of one line, by itself: a stray quote may not swallow the lines below."""
    try:
        return next(csv.reader([raw.decode().rstrip("\r\n")]), [])
    except (UnicodeDecodeError, csv.Error):
        return None
