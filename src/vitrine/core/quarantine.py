"""quarantine.csv: rows taken out of the manifest, with the reason; their images stay in place.

Columns: those of the manifest, and `check` and `reason`.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vitrine.core.errors import DataError
from vitrine.core.files import atomic_file
from vitrine.core.manifest import COLUMNS, Row

QUARANTINE_COLUMNS = (*COLUMNS, "check", "reason")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that was set aside, by which check and why."""

    row: Row
    check: str
    reason: str


def read_quarantine(path: Path) -> Iterator[Quarantined]:
    """Yield what was set aside, in the file's order; nothing where there is no file.

    Raises:
        DataError: The file is not what `vitrine quarantine` writes. The message names the line.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            for number, values in enumerate(reader):
                if (number == 0) != (tuple(values) == QUARANTINE_COLUMNS) or len(values) != len(
                    QUARANTINE_COLUMNS
                ):
                    raise DataError(
                        f"{path} line {reader.line_num} is not what `vitrine quarantine` writes "
                        f"({','.join(QUARANTINE_COLUMNS)}); bring the file back from git or DVC"
                    )
                if number:
                    *row, check, reason = values
                    yield Quarantined(Row(*row), check, reason)
    except FileNotFoundError:
        return
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not valid UTF-8 CSV ({error}); correct it") from None


def write_quarantine(path: Path, rows: Iterable[Quarantined]) -> None:
    """Write what is set aside, atomically."""
    with (
        atomic_file(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(QUARANTINE_COLUMNS)
        for one in rows:
            values = (getattr(one.row, column) for column in COLUMNS)
            writer.writerow([*values, one.check, one.reason])
