"""Images of all kinds, whole and broken, for tests that send whatever can be sent."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import PIL.Image
from hypothesis import strategies as st


def encoded(mode: str, kind: str, **options: object) -> bytes:
    """A picture as the bytes of a file."""
    noise = np.random.default_rng(3).integers(0, 256, (6, 5, 3), np.uint8)
    picture = PIL.Image.fromarray(noise).resize((40, 48)).convert(mode)
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def deep() -> bytes:
    """A PNG file of 16 bits a pixel."""
    buffer = BytesIO()
    PIL.Image.fromarray(np.arange(900, dtype=np.uint16).reshape(30, 30) * 70).save(buffer, "PNG")
    return buffer.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A small PNG file whose header claims any number of pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)


FRAMES = [PIL.Image.new("RGB", (40, 48), (shade, 0, 0)) for shade in (50, 150)]
MANY = {"save_all": True, "append_images": FRAMES}
SEEDS: dict[str, bytes] = {
    "jpeg": encoded("RGB", "JPEG"),
    "progressive": encoded("RGB", "JPEG", progressive=True),
    "gray jpeg": encoded("L", "JPEG"),
    "cmyk": encoded("CMYK", "JPEG"),
    "exif": encoded("RGB", "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
    "mpo": encoded("RGB", "MPO", **MANY),
    "png": encoded("RGB", "PNG"),
    "alpha": encoded("RGBA", "PNG"),
    "palette": encoded("P", "PNG", transparency=3),
    "bits": encoded("1", "PNG"),
    "deep": deep(),
    "apng": encoded("RGB", "PNG", **MANY),
    "webp": encoded("RGB", "WEBP"),
    "lossless": encoded("RGBA", "WEBP", lossless=True),
    "moving webp": encoded("RGB", "WEBP", **MANY),
    "gif": encoded("P", "GIF"),
    "moving gif": encoded("RGB", "GIF", **MANY),
    "bmp": encoded("RGB", "BMP"),
    "tiff": encoded("RGB", "TIFF", compression="tiff_lzw"),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200),
    "text": b"http://127.0.0.1/secret.jpg",
    "huge png": claiming(30_000, 30_000),
    "long png": claiming(2**31 - 1, 1),
    "nothing": b"",
}  # fmt: skip


@st.composite
def images(draw: st.DrawFn) -> bytes:
    """Draw the bytes of an image, mutated up to three times."""
    data = bytearray(draw(st.sampled_from(list(SEEDS.values()))))
    for _ in range(draw(st.integers(0, 3))):
        draw(st.sampled_from(MUTATIONS))(draw, data)
    return bytes(data)


def _position(draw: st.DrawFn, data: bytearray) -> int:
    # Most of what matters is in the first bytes.
    near = st.integers(0, min(len(data), 64))
    return draw(near | st.integers(0, len(data)))


def truncate(draw: st.DrawFn, data: bytearray) -> None:
    del data[_position(draw, data) :]


def flip(draw: st.DrawFn, data: bytearray) -> None:
    for _ in range(draw(st.integers(1, 8)) if data else 0):
        data[_position(draw, data) % len(data)] ^= 1 << draw(st.integers(0, 7))


def overwrite(draw: st.DrawFn, data: bytearray) -> None:
    start = _position(draw, data)
    written = draw(st.binary(max_size=16) | st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff"]))
    data[start : start + len(written)] = written


def insert(draw: st.DrawFn, data: bytearray) -> None:
    start = _position(draw, data)
    data[start:start] = draw(st.binary(max_size=64))


def repeat(draw: st.DrawFn, data: bytearray) -> None:
    start = _position(draw, data)
    data[start:start] = data[start : start + 100] * draw(st.integers(1, 50))


def append(draw: st.DrawFn, data: bytearray) -> None:
    data += draw(st.sampled_from(list(SEEDS.values())))


def resize(draw: st.DrawFn, data: bytearray) -> None:
    """Write other sizes into the header of a JPEG or PNG file."""
    size = draw(st.sampled_from([0, 1, 2, 255, 5000, 20_000, 65_000, 65_535]))
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    if frame > 0:
        data[frame + 5 : frame + 9] = struct.pack(">HH", size, draw(st.sampled_from([1, size])))
    elif data.startswith(b"\x89PNG") and len(data) > 33:
        data[16:24] = struct.pack(">II", size, draw(st.sampled_from([1, size])))
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))


MUTATIONS: tuple[Callable[[st.DrawFn, bytearray], None], ...] = (
    truncate, flip, overwrite, insert, repeat, append, resize,
)  # fmt: skip
