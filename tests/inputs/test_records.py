from pathlib import Path

import numpy as np
import pytest

from vitrine.core.errors import PreparedDataError
from vitrine.inputs.records import Record, decode, encode, frame, read_frames


def record(name: str = "images/鞋 1.png") -> Record:
    pixels = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    return Record(name, pixels, {"style": -1, "category": 2})


def test_a_record_comes_back() -> None:
    back = decode(encode(record()), (5, 4, 3))
    assert (back.image, back.labels) == (record().image, record().labels)
    np.testing.assert_array_equal(back.pixels, record().pixels)


def test_equal_records_give_equal_bytes() -> None:
    assert encode(record()) == encode(record())
    assert encode(record()) != encode(record("images/2.png"))


def test_frames_come_back(tmp_path: Path) -> None:
    frames = [b"", b"one", bytes(100_000)]
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"".join(frame(data) for data in frames))
    assert list(read_frames(path)) == frames


# A frame is 8 bytes of length, 4 of checksum, the data, and 4 of checksum.
@pytest.mark.parametrize("place", [0, 7, 9, 12, 15, 17])
def test_a_flipped_bit_is_found(tmp_path: Path, place: int) -> None:
    first = frame(b"first")
    second = bytearray(frame(b"other"))
    second[place] ^= 0x10
    path = tmp_path / "shard-00000-of-00001.tfrecord"
    path.write_bytes(first + second)
    frames = read_frames(path)
    assert next(frames) == b"first"
    with pytest.raises(
        PreparedDataError, match=r"shard-00000-of-00001\.tfrecord is damaged.*record 1.*--force"
    ):
        next(frames)


@pytest.mark.parametrize("length", [1, 11, 14, 20])
def test_a_file_that_is_cut_off_is_found(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(b"first")[:length])
    with pytest.raises(PreparedDataError, match=r"a\.tfrecord is damaged"):
        list(read_frames(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PreparedDataError, match=r"a\.tfrecord is missing.*dvc pull"):
        list(read_frames(tmp_path / "a.tfrecord"))
