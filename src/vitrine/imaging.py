"""The one door for pixels: bytes of an image file in, an upright RGB array of a fixed size out.

Every stage and the service come through `load`, so what a network is trained on and what it is
asked later are made by the same code. All functions may be called from many threads at once;
Pillow releases the GIL while it decodes and resizes.
"""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from vitrine.core.errors import ImageError
from vitrine.core.params import ImageParams

__all__ = ["ImageInfo", "decode", "load", "probe", "read", "resize"]

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

_TURNS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}
_EXIF_ORIENTATION = 0x0112

_FILTERS = {
    "nearest": PIL.Image.Resampling.NEAREST,
    "bilinear": PIL.Image.Resampling.BILINEAR,
    "bicubic": PIL.Image.Resampling.BICUBIC,
    "lanczos": PIL.Image.Resampling.LANCZOS,
}

_ROOM = 2
"""How many times larger than asked an image is at least decoded, so that the resize decides."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What the header of an image file says.

    Args:
        format: JPEG, MPO, PNG, WEBP, GIF, BMP or TIFF.
        width: Pixels, of the upright image.
        height: Pixels, of the upright image.
        mode: Pillow's word for the kind of pixels: RGB, L, P, CMYK, I;16 …
        orientation: The EXIF orientation, 1 to 8; 1 is upright.
        frames: How many pictures the file holds; the first one is used.
    """

    format: str
    width: int
    height: int
    mode: str
    orientation: int
    frames: int


def read(path: Path, image: ImageParams, name: str | None = None) -> bytes:
    """Return the bytes of an image file, not yet looked at.

    Raises:
        ImageError: The file is missing, cannot be read, is empty, or is larger than
            `image.max_bytes`; a file that is too large is refused before it is read.
    """
    name = str(path) if name is None else name
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
            raise ImageError(name, "this is no regular file")
        size = status.st_size
        data = path.read_bytes() if size <= image.max_bytes else b""
    except FileNotFoundError:
        raise ImageError(name, "the file is missing") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError(name, f"the file cannot be read: {reason}") from None
    _check_bytes(size, image, name)
    return data


def probe(data: bytes, image: ImageParams, name: str) -> ImageInfo:
    """Return what the header says, without decoding any pixels.

    Raises:
        ImageError: The bytes are no image of a known format, or exceed a limit.
    """
    opened = _open(data, image, name)
    orientation = _orientation(opened)
    width, height = opened.size
    if orientation >= 5 and opened.format != "TIFF":
        width, height = height, width
    try:
        frames = int(getattr(opened, "n_frames", 1))
    except Exception as error:
        raise _damaged(name, error) from error
    return ImageInfo(str(opened.format), width, height, opened.mode, orientation, frames)


def decode(
    data: bytes, image: ImageParams, name: str, *, at_least: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """Return the upright RGB pixels of an image, (height, width, 3) uint8.

    Args:
        data: The bytes of the image file.
        image: The limits, and the background under transparent pixels.
        name: What to call the image in an error.
        at_least: (height, width) that are enough: a large JPEG may then be decoded at a half, a
            quarter or an eighth of its size, which is many times faster, but not below this.

    Raises:
        ImageError: The bytes are no image, are damaged or truncated, or exceed a limit.
    """
    return np.array(_upright(data, image, name, at_least))


def resize(pixels: NDArray[np.uint8], image: ImageParams) -> NDArray[np.uint8]:
    """Return RGB pixels (h, w, 3) uint8 as (image.height, image.width, 3), by `image.fit`."""
    return np.array(_fit(PIL.Image.fromarray(pixels), image))


def load(source: bytes | Path, image: ImageParams, name: str | None = None) -> NDArray[np.uint8]:
    """Return an image as the network sees it: (image.height, image.width, 3) uint8, RGB, upright.

    Args:
        source: The bytes of an image file, or its path.
        image: The size and how to reach it, the background, and the limits.
        name: What to call the image in an error; its path by default.

    Raises:
        ImageError: The image is missing, is no image, is damaged, or exceeds a limit.
    """
    if isinstance(source, Path):
        name = str(source) if name is None else name
        source = read(source, image, name)
    enough = (_ROOM * image.height, _ROOM * image.width)
    return np.array(_fit(_upright(source, image, name or "the image", enough), image))


def _open(data: bytes, image: ImageParams, name: str) -> ImageFile:
    """Return an image of which only the header is read, its size within the limits."""
    _check_bytes(len(data), image, name)
    opener = _opener(data)
    if opener is None:
        raise ImageError(name, _why_not(data))
    try:
        opened = opener(BytesIO(data))
    except PIL.Image.DecompressionBombError as error:
        raise ImageError(name, f"the image has too many pixels: {error}") from None
    except MemoryError:
        raise
    except Exception as error:  # a decoder fed with hostile bytes may raise anything
        raise _damaged(name, error) from error
    width, height = opened.size
    if width * height > image.max_pixels:
        raise ImageError(
            name,
            f"the image has {width} x {height} pixels, more than the {image.max_pixels:,} that "
            "image.max_pixels allows; make it smaller",
        )
    if opened.mode in ("I", "F"):
        reason = "pixels of 32 bits have no fixed range; save the image with 8 or 16 bits"
        raise ImageError(name, reason)
    return opened


def _opener(data: bytes) -> Callable[[BytesIO], ImageFile] | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return cast(Callable[[BytesIO], ImageFile], WebPImageFile)
    return next((opener for magic, opener in _OPENERS if data.startswith(magic)), None)


def _check_bytes(size: int, image: ImageParams, name: str) -> None:
    if size == 0:
        raise ImageError(name, "the file is empty")
    if size > image.max_bytes:
        raise ImageError(
            name,
            f"the file has {size:,} bytes, more than the {image.max_bytes:,} that "
            "image.max_bytes allows; make it smaller",
        )


def _why_not(data: bytes) -> str:
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


def _damaged(name: str, error: Exception) -> ImageError:
    return ImageError(name, f"the image is damaged or truncated ({error})")


def _orientation(opened: ImageFile) -> int:
    try:
        # Not `opened.getexif()`: that of PNG would decode the pixels.
        value: Any = PIL.Image.Image.getexif(opened).get(_EXIF_ORIENTATION, 1)
    except Exception:  # the pixels may be whole where the EXIF block is not
        return 1
    return int(value) if value in _TURNS else 1


def _upright(
    data: bytes, image: ImageParams, name: str, at_least: tuple[int, int] | None
) -> PIL.Image.Image:
    """Return the decoded first frame, turned upright, as an RGB image."""
    opened = _open(data, image, name)
    orientation = _orientation(opened)
    if at_least is not None:
        height, width = at_least if orientation < 5 else at_least[::-1]
        opened.draft(None, (width, height))
    try:
        opened.load()
        flat = _flatten(opened, image.background)
    except MemoryError:
        raise
    except Exception as error:
        raise _damaged(name, error) from error
    if orientation == 1 or opened.format == "TIFF":  # Pillow turns TIFF by itself
        return flat
    return flat.transpose(_TURNS[orientation])


def _flatten(opened: PIL.Image.Image, background: tuple[int, int, int]) -> PIL.Image.Image:
    """Return any kind of pixels as RGB, transparent ones over the background."""
    if opened.mode.startswith("I;16"):
        grey = np.asarray(opened).astype(np.uint32)
        return PIL.Image.fromarray(((grey + 128) // 257).astype(np.uint8)).convert("RGB")
    if opened.has_transparency_data:
        picture = opened.convert("RGBA")
        canvas = PIL.Image.new("RGB", picture.size, background)
        canvas.paste(picture, mask=picture)
        return canvas
    return opened.convert("RGB")


def _fit(picture: PIL.Image.Image, image: ImageParams) -> PIL.Image.Image:
    size = (image.width, image.height)
    resample = _FILTERS[image.interpolation]
    if picture.size == size:
        return picture
    across, down = image.width / picture.width, image.height / picture.height
    if image.fit == "letterbox":
        scale = min(across, down)
        inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        canvas = PIL.Image.new("RGB", size, image.background)
        corner = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
        canvas.paste(picture.resize(inner, resample), corner)
        return canvas
    if image.fit == "crop":
        scale = max(across, down)
        cut_x = max(0.0, (picture.width - image.width / scale) / 2)
        cut_y = max(0.0, (picture.height - image.height / scale) / 2)
        box = (cut_x, cut_y, picture.width - cut_x, picture.height - cut_y)
        return picture.resize(size, resample, box=box)
    return picture.resize(size, resample)
