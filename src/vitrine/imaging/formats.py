"""Which decoder reads some bytes, by how they begin."""

from collections.abc import Callable
from io import BytesIO
from typing import cast

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

# The plugins are called without `PIL.Image.open`, whose limit on pixels is one for the whole
# process and warns where ours must refuse.
_OPENERS: tuple[tuple[bytes, Callable[[BytesIO], ImageFile]], ...] = (
    (b"\xff\xd8\xff", jpeg_factory),
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"GIF87a", GifImageFile),
    (b"GIF89a", GifImageFile),
    (b"BM", BmpImageFile),
    (b"II*\0", TiffImageFile),
    (b"MM\0*", TiffImageFile),
    (b"II+\0", TiffImageFile),
    (b"MM\0+", TiffImageFile),
)


def opener_of(data: bytes) -> Callable[[BytesIO], ImageFile] | None:
    """Return what opens an image of this format; None for bytes of no known one."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return cast(Callable[[BytesIO], ImageFile], WebPImageFile)
    return next((opener for magic, opener in _OPENERS if data.startswith(magic)), None)


def why_no_image(data: bytes) -> str:
    """Say what bytes are that no decoder here reads."""
    known = "save it as JPEG, PNG, WebP, GIF, BMP or TIFF"
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if data[4:8] == b"ftyp":
        kind = "AVIF" if data[8:11] == b"avi" else "HEIC"
        return f"{kind} images are not read; {known}"
    if b"<svg" in start:
        return f"SVG drawings are not read; {known}"
    if start.startswith((b"<!doctype html", b"<html")):
        return f"this is a web page, not an image; {known}"
    if start.startswith(b"%pdf"):
        return f"this is a PDF document, not an image; {known}"
    if start.isascii() and not any(byte < 32 and byte not in b"\t\n\r" for byte in start):
        return f"this is text, not an image; {known}"
    return f"this is no image of a known format; {known}"
