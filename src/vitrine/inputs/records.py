"""TFRecord files of `tf.train.Example` messages, written and read without TensorFlow.

A TFRecord file is a sequence of frames: the length of the data (8 bytes, little endian), a masked
CRC-32C of these 8 bytes, the data, and a masked CRC-32C of the data. The data of every frame is one
`tf.train.Example` with the features `image` (name), `pixels` (raw uint8), `style` and `category`.
"""

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from numpy.typing import NDArray

from vitrine.core.errors import PreparedDataError
from vitrine.core.taxonomy import HEADS, Head

_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Record:
    """One prepared image.

    Args:
        image: Its name: the path under data/.
        pixels: (height, width, 3) uint8.
        labels: The output index of each head; -1 = unknown.
    """

    image: str
    pixels: NDArray[np.uint8]
    labels: dict[Head, int]


def _example_class() -> Any:
    # The message is described here, in a pool of its own, so that TensorFlow (which registers the
    # same names in the default pool) may or may not be loaded beside it.
    field = descriptor_pb2.FieldDescriptorProto
    one, many = field.LABEL_OPTIONAL, field.LABEL_REPEATED

    def nested(name: str, number: int, label: int, of: str, **more: int) -> Any:
        return field(
            name=name,
            number=number,
            label=label,
            type=field.TYPE_MESSAGE,
            type_name=f".tensorflow.{of}",
            **more,
        )

    file = descriptor_pb2.FileDescriptorProto(
        name="vitrine/example.proto", package="tensorflow", syntax="proto3"
    )
    for name, kind in (("BytesList", field.TYPE_BYTES), ("Int64List", field.TYPE_INT64)):
        file.message_type.add(name=name).field.add(name="value", number=1, label=many, type=kind)
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    feature.field.append(nested("bytes_list", 1, one, "BytesList", oneof_index=0))
    feature.field.append(nested("int64_list", 3, one, "Int64List", oneof_index=0))
    features = file.message_type.add(name="Features")
    features.field.append(nested("feature", 1, many, "Features.FeatureEntry"))
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=one, type=field.TYPE_STRING)
    entry.field.append(nested("value", 2, one, "Feature"))
    file.message_type.add(name="Example").field.append(nested("features", 1, one, "Features"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


_Example = _example_class()


def encode(record: Record) -> bytes:
    """Return a record as a serialised `tf.train.Example`; equal records give equal bytes."""
    example = _Example()
    feature = example.features.feature
    feature["image"].bytes_list.value.append(record.image.encode())
    feature["pixels"].bytes_list.value.append(record.pixels.tobytes())
    for head in HEADS:
        feature[head].int64_list.value.append(record.labels[head])
    return bytes(example.SerializeToString(deterministic=True))


def decode(data: bytes, shape: tuple[int, int, int]) -> Record:
    """Return the record of a serialised `tf.train.Example`.

    Args:
        data: What `encode` returned.
        shape: (height, width, 3) of the pixels.
    """
    feature = _Example.FromString(data).features.feature
    pixels = np.frombuffer(feature["pixels"].bytes_list.value[0], np.uint8)
    return Record(
        feature["image"].bytes_list.value[0].decode(),
        pixels.reshape(shape),
        {head: feature[head].int64_list.value[0] for head in HEADS},
    )


def _masked(data: bytes) -> bytes:
    checksum = google_crc32c.value(data)
    rotated = (checksum >> 15) | (checksum << 17)
    return _CHECKSUM.pack((rotated + 0xA282EAD8) & 0xFFFFFFFF)


def frame(data: bytes) -> bytes:
    """Return the TFRecord frame of some data."""
    length = _LENGTH.pack(len(data))
    return b"".join((length, _masked(length), data, _masked(data)))


def read_frames(path: Path) -> Iterator[bytes]:
    """Yield the data of every frame of a TFRecord file, checksums verified.

    Raises:
        PreparedDataError: The file is missing, cut off or damaged. The message names it.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise PreparedDataError(
            f"{path} is missing: fetch it with `dvc pull` or make it with `dvc repro prepare`"
        ) from None
    with file:
        for number in itertools.count():
            start = file.read(_LENGTH.size + _CHECKSUM.size)
            if not start:
                return
            length = start[: _LENGTH.size]
            if _masked(length) != start[_LENGTH.size :]:
                raise _damaged(path, number)
            data = file.read(*_LENGTH.unpack(length))
            if _masked(data) != file.read(_CHECKSUM.size):
                raise _damaged(path, number)
            yield data


def _damaged(path: Path, number: int) -> PreparedDataError:
    return PreparedDataError(
        f"{path} is damaged: the checksum of record {number} does not match what was read; "
        "make the shards anew with `dvc repro --force prepare`"
    )
