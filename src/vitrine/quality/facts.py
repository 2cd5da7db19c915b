"""What is known of every image file: its header, digests and a few numbers, one row an image.

`validate` measures the facts and keeps them as Parquet, in the order of the manifest. The checks
and `prepare` read them there, so that no image is decoded again for them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vitrine.core.errors import DataError
from vitrine.core.files import atomic_file

FACTS_FILE = "facts.parquet"
ROW_GROUP = 4096
READ_ROWS = 512
_AGAIN = "make it with `vitrine validate`"

Descriptor = bytes

SCHEMA = pa.schema(
    [
        pa.field("image", pa.string(), nullable=False),
        pa.field("readable", pa.bool_(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("format", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("mode", pa.string()),
        pa.field("orientation", pa.int8()),
        pa.field("bytes", pa.int64()),
        pa.field("md5", pa.string()),
        pa.field("sha256", pa.string()),
        pa.field("phash", pa.uint64()),
        pa.field("mirror_hash", pa.uint64()),
        pa.field("descriptor", pa.binary()),
        pa.field("aspect_ratio", pa.float32()),
        pa.field("brightness", pa.float32()),
        pa.field("darkest", pa.float32()),
        pa.field("brightest", pa.float32()),
        pa.field("contrast", pa.float32()),
        pa.field("sharpness", pa.float32()),
        pa.field("entropy", pa.float32()),
        pa.field("colourfulness", pa.float32()),
        pa.field("background", pa.float32()),
        pa.field("repetition", pa.float32()),
    ]
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one image file; None where it could not be found out.

    Attributes:
        image: The path of the manifest's row.
        readable: Whether every pixel could be decoded.
        reason: Why it is not readable, in words; empty when it is.
        format: Of the file's content: `JPEG`, `PNG` …
        width: Pixels, upright.
        height: Pixels, upright.
        mode: Pillow's name of the stored pixels: `RGB`, `L`, `CMYK` …
        orientation: The EXIF orientation, 1 (upright) to 8.
        bytes: Size of the file; None only where there is no file.
        md5: Of the file's bytes, in hex: what DVC calls the file in its cache.
        sha256: Of the file's bytes, in hex.
        phash: Perceptual hash, 64 bits.
        mirror_hash: That of the image seen in a mirror.
        descriptor: What near-duplicates are compared by, see `vitrine.quality.descriptors`.
        aspect_ratio: The longer side in shares of the shorter one, 1 or more.
        brightness: Mean grey level, 0 to 255.
        darkest: Grey level that 1 % of the pixels do not exceed.
        brightest: Grey level that 99 % of the pixels do not exceed.
        contrast: Standard deviation of the grey levels, 0 to 127.5.
        sharpness: How steep the steepest edges are, 0 (none) to about 4.
        entropy: Of the grey levels, 0 to 8 bits.
        colourfulness: 0 (grey) to about 200.
        background: Share of the pixels that have the colour of the border, 0 to 1.
        repetition: How strongly the background repeats a faint pattern, 0 to 1.
    """

    image: str
    readable: bool = False
    reason: str = ""
    format: str | None = None
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    orientation: int | None = None
    bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None
    phash: int | None = None
    mirror_hash: int | None = None
    descriptor: Descriptor | None = None
    aspect_ratio: float | None = None
    brightness: float | None = None
    darkest: float | None = None
    brightest: float | None = None
    contrast: float | None = None
    sharpness: float | None = None
    entropy: float | None = None
    colourfulness: float | None = None
    background: float | None = None
    repetition: float | None = None


def write_facts(path: Path, rows: Iterable[Facts]) -> None:
    """Write facts as Parquet while they arrive; the file appears, whole, at the end.

    At most `ROW_GROUP` rows are held in memory.
    """
    arriving = iter(rows)
    with atomic_file(path) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        while group := list(islice(arriving, ROW_GROUP)):
            columns = {name: [getattr(row, name) for row in group] for name in SCHEMA.names}
            writer.write_table(pa.table(columns, schema=SCHEMA))


def read_facts(path: Path) -> Iterator[Facts]:
    """Yield the facts of a Parquet file one by one, in the manifest's order, a row group at a time.

    Raises:
        DataError: The file is missing, is no Parquet, or has other columns.
    """
    for batch in read_batches(path, SCHEMA.names):
        for row in batch.to_pylist():
            yield Facts(**row)


def read_columns(path: Path, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield some facts of one image after the other, in the manifest's order.

    Raises:
        DataError: As `read_facts`.
    """
    for batch in read_batches(path, columns):
        yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def read_batches(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    """Yield some columns of a Parquet file of facts, `READ_ROWS` rows at a time, as Arrow batches.

    Raises:
        DataError: As `read_facts`.
    """
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(SCHEMA):
                raise DataError(f"{path} has other columns than this version writes: {_AGAIN}")
            yield from file.iter_batches(batch_size=READ_ROWS, columns=list(columns))
    except FileNotFoundError:
        raise DataError(f"{path} is missing: {_AGAIN}") from None
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is damaged ({error}): {_AGAIN}") from None
