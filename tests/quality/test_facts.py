from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from vitrine.core.errors import DataError
from vitrine.core.params import ImageParams, Params
from vitrine.quality import facts as module
from vitrine.quality.facts import SCHEMA, Facts, measure, read_facts, write_facts


@pytest.fixture
def image(params: Params) -> ImageParams:
    return params.image


def _picture(path: Path, width: int = 40, height: int = 60) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG", exif=exif)
    path.write_bytes(buffer.getvalue())
    return buffer.getvalue()


def test_a_good_image(tmp_path: Path, image: ImageParams) -> None:
    data = _picture(tmp_path / "a.jpg")
    found = measure(tmp_path / "a.jpg", image, "images/a.jpg")
    assert (found.image, found.readable, found.reason) == ("images/a.jpg", True, "")
    assert (found.format, found.mode, found.orientation) == ("JPEG", "RGB", 6)
    assert (found.width, found.height) == (60, 40)  # upright: the camera lay on its side
    assert found.bytes == len(data)
    assert found.brightness == pytest.approx(127, abs=10)
    assert found.contrast is not None
    assert found.contrast > 4


def test_a_damaged_file_keeps_what_is_known(tmp_path: Path, image: ImageParams) -> None:
    data = _picture(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes(data[:-800])
    found = measure(tmp_path / "a.jpg", image, "images/a.jpg")
    assert not found.readable
    assert found.reason.startswith("the image is damaged or truncated")
    assert (found.format, found.width, found.bytes) == ("JPEG", 60, len(data) - 800)
    assert found.phash is None


@pytest.mark.parametrize("name", ["none.jpg", "x" * 300 + ".jpg", "a\0b.jpg", "a.jpg/b.jpg"])
def test_a_file_that_is_not_there_has_no_bytes(
    tmp_path: Path, image: ImageParams, name: str
) -> None:
    _picture(tmp_path / "a.jpg")
    found = measure(tmp_path / name, image, name)
    assert not found.readable
    assert found.bytes is None
    assert found.sha256 is None


def test_facts_come_back_as_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROW_GROUP", 2)
    rows = [
        Facts("a", True, "", "PNG", 3, 4, "L", 1, 99, "ab", 2**64 - 1, 1.5, 2.5, 3.5),
        Facts("b", reason="the file is empty", bytes=0),
        *(Facts(f"images/{number}.jpg") for number in range(5)),
    ]
    path = tmp_path / "deep" / "facts.parquet"
    write_facts(path, iter(rows))
    assert list(read_facts(path)) == rows
    assert pq.ParquetFile(path).num_row_groups == 4


def test_an_interrupted_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "facts.parquet"
    write_facts(path, [Facts("old")])

    def arriving() -> Iterator[Facts]:
        yield Facts("new")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_facts(path, arriving())
    assert [row.image for row in read_facts(path)] == ["old"]
    assert [child.name for child in tmp_path.iterdir()] == ["facts.parquet"]


def test_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "facts.parquet"
    with pytest.raises(DataError, match=r"facts\.parquet is missing: make it with `vitrine val"):
        list(read_facts(path))
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match=r"facts\.parquet is damaged \(.*\): make it with"):
        list(read_facts(path))
    pq.write_table(pa.table({"image": ["a"]}), path)
    with pytest.raises(DataError, match="has other columns than this version writes: make it"):
        list(read_facts(path))


def test_every_fact_has_a_column() -> None:
    assert tuple(SCHEMA.names) == Facts.__slots__
