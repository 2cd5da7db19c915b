"""Reading, decoding and resizing one image; see `vitrine.imaging`."""

import stat
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.ImageFile import ImageFile

from vitrine.core.errors import ImageError, ImageTooLarge
from vitrine.core.params import ImageParams
from vitrine.imaging.formats import opener_of, why_no_image

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
    return _info(_open(data, image, name), name)


def examine(
    data: bytes, image: ImageParams, name: str, side: int
) -> tuple[ImageInfo, NDArray[np.uint8] | ImageError]:
    """Return what the header says, and the image squeezed to (side, side, 3) uint8, RGB, upright.

    Pixels that cannot be decoded are returned as the error that says why.

    Raises:
        ImageError: The header is no image of a known format, or exceeds a limit.
    """
    opened = _open(data, image, name)
    info = _info(opened, name)
    try:
        picture = _upright(opened, image, name, (side, side))
    except ImageError as error:
        return info, error
    return info, np.asarray(picture.resize((side, side), PIL.Image.Resampling.BILINEAR))


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
    return np.array(_upright(_open(data, image, name), image, name, at_least))


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
    name = name or "the image"
    enough = (_ROOM * image.height, _ROOM * image.width)
    picture = _upright(_open(source, image, name), image, name, enough)
    return np.array(_fit(picture, image))


def _open(data: bytes, image: ImageParams, name: str) -> ImageFile:
    """Return an image of which only the header is read, its size within the limits."""
    _check_bytes(len(data), image, name)
    opener = opener_of(data)
    if opener is None:
        raise ImageError(name, why_no_image(data))
    try:
        opened = opener(BytesIO(data))
    except PIL.Image.DecompressionBombError as error:
        raise ImageTooLarge(name, f"the image has too many pixels: {error}") from None
    except MemoryError:
        raise
    except Exception as error:  # a decoder fed with hostile bytes may raise anything
        raise _damaged(name, error) from error
    width, height = opened.size
    if width * height > image.max_pixels:
        raise ImageTooLarge(
            name,
            f"the image has {width} x {height} pixels, more than the {image.max_pixels:,} that "
            "image.max_pixels allows; make it smaller",
        )
    if opened.mode in ("I", "F"):
        reason = "pixels of 32 bits have no fixed range; save the image with 8 or 16 bits"
        raise ImageError(name, reason)
    return opened


def _check_bytes(size: int, image: ImageParams, name: str) -> None:
    if size == 0:
        raise ImageError(name, "the file is empty")
    if size > image.max_bytes:
        raise ImageTooLarge(
            name,
            f"the file has {size:,} bytes, more than the {image.max_bytes:,} that "
            "image.max_bytes allows; make it smaller",
        )


def _damaged(name: str, error: Exception) -> ImageError:
    return ImageError(name, f"the image is damaged or truncated ({error})")


def _orientation(opened: ImageFile) -> int:
    try:
        # Not `opened.getexif()`: that of PNG would decode the pixels.
        value: Any = PIL.Image.Image.getexif(opened).get(_EXIF_ORIENTATION, 1)
    except Exception:  # the pixels may be whole where the EXIF block is not
        return 1
    return int(value) if value in _TURNS else 1


def _info(opened: ImageFile, name: str) -> ImageInfo:
    orientation = _orientation(opened)
    width, height = opened.size
    if orientation >= 5 and opened.format != "TIFF":
        width, height = height, width
    try:
        frames = int(getattr(opened, "n_frames", 1))
    except Exception as error:
        raise _damaged(name, error) from error
    return ImageInfo(str(opened.format), width, height, opened.mode, orientation, frames)


def _upright(
    opened: ImageFile, image: ImageParams, name: str, at_least: tuple[int, int] | None
) -> PIL.Image.Image:
    """Return the decoded first frame, turned upright, as an RGB image."""
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
