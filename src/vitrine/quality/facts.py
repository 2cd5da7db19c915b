"""What is known of every image file: its header, digest and a few numbers, one row an image.

`validate` measures the facts and keeps them as Parquet, in the order of the manifest. The checks
and `prepare` read them there, so that no image is decoded again for them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vitrine import imaging
from vitrine.core.digests import bytes_digest
from vitrine.core.errors import DataError, ImageError
from vitrine.core.files import atomic_file
from vitrine.core.params import ImageParams
from vitrine.quality import pixels

FACTS_FILE = "facts.parquet"
ROW_GROUP = 4096
READ_ROWS = 512
_AGAIN = "make it with `vitrine validate`"

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
        pa.field("sha256", pa.string()),
        pa.field("phash", pa.uint64()),
        pa.field("brightness", pa.float32()),
        pa.field("contrast", pa.float32()),
        pa.field("sharpness", pa.float32()),
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
        sha256: Digest of the file's bytes, in hex.
        phash: Perceptual hash, 64 bits.
        brightness: Mean grey level, 0 to 255.
        contrast: Standard deviation of the grey levels, 0 to 127.5.
        sharpness: Variance of the grey levels' Laplacian, 0 or more.
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
    sha256: str | None = None
    phash: int | None = None
    brightness: float | None = None
    contrast: float | None = None
    sharpness: float | None = None


def measure(path: Path, image: ImageParams, name: str) -> Facts:
    """Find out what can be known of an image file; a fault of the file is a fact, not an error.

    Args:
        path: Where the file lies.
        image: The limits on bytes and pixels.
        name: The path of the manifest's row.
    """
    facts = Facts(name, bytes=_size(path))
    try:
        data = imaging.read(path, image, name)
        facts = replace(facts, sha256=bytes_digest(data))
        info = imaging.probe(data, image, name)
        facts = replace(
            facts,
            format=info.format,
            width=info.width,
            height=info.height,
            mode=info.mode,
            orientation=info.orientation,
        )
        decoded = imaging.decode(data, image, name, at_least=(pixels.SIDE, pixels.SIDE))
    except ImageError as error:
        return replace(facts, reason=error.reason)
    grey = pixels.small_grey(decoded)
    return replace(
        facts,
        readable=True,
        phash=pixels.perceptual_hash(grey),
        brightness=float(grey.mean()),
        contrast=float(grey.std()),
        sharpness=pixels.sharpness(grey),
    )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (OSError, ValueError):  # missing, behind a closed folder, or no possible name
        return None


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
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(SCHEMA):
                raise DataError(f"{path} has other columns than this version writes: {_AGAIN}")
            for batch in file.iter_batches(batch_size=READ_ROWS):
                for row in batch.to_pylist():
                    yield Facts(**row)
    except FileNotFoundError:
        raise DataError(f"{path} is missing: {_AGAIN}") from None
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is damaged ({error}): {_AGAIN}") from None
