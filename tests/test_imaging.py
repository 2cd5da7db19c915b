"""What becomes of every kind of image file, good and bad."""

import contextlib
import io
import os
import struct
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest

from vitrine import imaging
from vitrine.core.errors import ImageError
from vitrine.core.params import ImageParams, Params, override

RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (255, 255, 255)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


@pytest.fixture(scope="session")
def image(params: Params) -> ImageParams:
    """Settings of 32 x 24 pixels."""
    return override(params.image, {"height": 32, "width": 24})


def corners(width: int = 48, height: int = 64) -> PIL.Image.Image:
    """A picture that no turn or flip maps to itself: red top left, green top right, blue below."""
    picture = PIL.Image.new("RGB", (width, height), BLUE)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    return picture


def photo(width: int, height: int) -> PIL.Image.Image:
    """A picture with soft and sharp parts."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 90 * np.sin(x / (9 + 3 * c)) * np.cos(y / (11 + 2 * c)) for c in range(3)]
    picture = PIL.Image.fromarray(np.stack(waves, axis=-1).astype(np.uint8))
    PIL.ImageDraw.Draw(picture).ellipse((width // 4, height // 4, width // 2, height // 2), RED)
    return picture


def encode(picture: PIL.Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def as_camera(picture: PIL.Image.Image, orientation: int, kind: str) -> bytes:
    """A file whose pixels are turned so that following its EXIF entry gives the picture."""
    turn = PIL.Image.Transpose
    stored = {
        1: None,
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_90,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_270,
    }[orientation]
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    return encode(picture if stored is None else picture.transpose(stored), kind, exif=exif)


def near(pixel: np.ndarray, color: tuple[int, int, int], tolerance: int = 12) -> bool:
    return bool(np.abs(pixel.astype(int) - color).max() <= tolerance)


def looks_like_corners(pixels: np.ndarray) -> bool:
    height, width = pixels.shape[:2]
    above, below, left, right = height // 4, 3 * height // 4, width // 4, 3 * width // 4
    return (
        near(pixels[above, left], RED)
        and near(pixels[above, right], GREEN)
        and near(pixels[below, left], BLUE)
        and near(pixels[below, right], BLUE)
    )


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_picture(kind: str, image: ImageParams) -> None:
    data = encode(corners(), kind)
    pixels = imaging.decode(data, image, "a")
    assert pixels.dtype == np.uint8
    assert pixels.shape == (64, 48, 3)
    assert looks_like_corners(pixels)
    info = imaging.probe(data, image, "a")
    assert (info.format, info.width, info.height) == (kind, 48, 64)
    assert (info.orientation, info.frames) == (1, 1)


def test_load_takes_bytes_and_paths_alike(image: ImageParams, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(corners(), "JPEG"))
    from_path = imaging.load(path, image)
    assert from_path.shape == (32, 24, 3)
    assert np.array_equal(from_path, imaging.load(path.read_bytes(), image, "a"))
    assert from_path.flags.writeable


def test_load_is_decode_then_resize(image: ImageParams) -> None:
    data = encode(photo(50, 40), "PNG")
    by_hand = imaging.resize(imaging.decode(data, image, "a"), image)
    assert np.array_equal(imaging.load(data, image), by_hand)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_undone(kind: str, orientation: int, image: ImageParams) -> None:
    data = as_camera(corners(), orientation, kind)
    assert looks_like_corners(imaging.decode(data, image, "a"))
    info = imaging.probe(data, image, "a")
    assert (info.width, info.height, info.orientation) == (48, 64, orientation)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"]
)
def test_damaged_exif_does_not_cost_the_picture(exif: bytes, image: ImageParams) -> None:
    assert looks_like_corners(imaging.decode(encode(corners(), "JPEG", exif=exif), image, "a"))


@pytest.mark.parametrize("value", [0, 9, 300])
def test_impossible_orientation_counts_as_upright(value: int, image: ImageParams) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = value
    data = encode(corners(), "JPEG", exif=exif)
    assert imaging.probe(data, image, "a").orientation == 1
    assert looks_like_corners(imaging.decode(data, image, "a"))


def test_adobe_inverted_cmyk(image: ImageParams) -> None:
    data = encode(corners().convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data
    assert imaging.probe(data, image, "a").mode == "CMYK"
    assert looks_like_corners(imaging.decode(data, image, "a"))


def test_cmyk_tiff(image: ImageParams) -> None:
    data = encode(corners().convert("CMYK"), "TIFF")
    assert looks_like_corners(imaging.decode(data, image, "a"))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_range(kind: str, image: ImageParams) -> None:
    grey = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(64, 48)
    data = encode(PIL.Image.fromarray(grey), kind)
    assert imaging.probe(data, image, "a").mode.startswith("I;16")
    pixels = imaging.decode(data, image, "a")
    assert np.abs(pixels[..., 0] - grey / 257).max() <= 0.5
    assert (pixels == pixels[..., :1]).all()


def test_big_endian_sixteen_bit_tiff(image: ImageParams) -> None:
    grey = PIL.Image.new("I;16B", (8, 8), 0x8000)
    assert (imaging.decode(encode(grey, "TIFF"), image, "a") == 128).all()


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_a_fixed_range_are_refused(mode: str, image: ImageParams) -> None:
    data = encode(PIL.Image.new(mode, (8, 8)), "TIFF")
    with pytest.raises(ImageError, match="no fixed range; save the image with 8 or 16 bits"):
        imaging.probe(data, image, "a")


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_black_and_white(mode: str, image: ImageParams) -> None:
    picture = PIL.Image.new("L", (20, 20), 255)
    picture.paste(0, (0, 0, 20, 10))
    pixels = imaging.decode(encode(picture.convert(mode), "PNG"), image, "a")
    assert pixels.shape == (20, 20, 3)
    assert near(pixels[2, 2], (0, 0, 0))
    assert near(pixels[17, 17], WHITE)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_show_the_background(mode: str, image: ImageParams) -> None:
    image = override(image, {"background": (10, 120, 240)})
    picture = PIL.Image.new("RGBA", (20, 20), (90, 90, 90, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 20, 10))
    options = {}
    if mode == "P":  # with one transparent entry of the palette
        picture = PIL.Image.new("P", (20, 20), 1)
        picture.putpalette([0, 0, 0, 90, 90, 90])
        picture.paste(0, (0, 0, 20, 10))
        options = {"transparency": 0}
    else:
        picture = picture.convert(mode)
    pixels = imaging.decode(encode(picture, "PNG", **options), image, "a")
    assert near(pixels[2, 2], (10, 120, 240), 0)
    assert near(pixels[17, 17], (90, 90, 90), 0)


def test_half_transparent_pixels_are_mixed(image: ImageParams) -> None:
    picture = PIL.Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    assert near(imaging.decode(encode(picture, "PNG"), image, "a")[4, 4], (127, 127, 127), 1)


def test_palette_with_graded_transparency(image: ImageParams) -> None:
    picture = PIL.Image.new("P", (8, 8), 1)
    picture.putpalette([0, 0, 0, 200, 0, 0])
    data = encode(picture, "PNG", transparency=bytes([0, 128]))
    assert near(imaging.decode(data, image, "a")[4, 4], (227, 127, 127), 1)


@pytest.mark.parametrize("color", ["RGB", "L"])
def test_transparent_color_without_alpha(color: str, image: ImageParams) -> None:
    picture = PIL.Image.new(color, (8, 8))
    data = encode(picture, "PNG", transparency=0 if color == "L" else (0, 0, 0))
    assert near(imaging.decode(data, image, "a")[4, 4], WHITE, 0)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_several(kind: str, image: ImageParams) -> None:
    others = [PIL.Image.new("RGB", (48, 64), color) for color in (RED, GREEN)]
    data = encode(corners(), kind, save_all=True, append_images=others)
    assert imaging.probe(data, image, "a").frames == 3
    assert looks_like_corners(imaging.decode(data, image, "a"))


def test_first_picture_of_an_mpo(image: ImageParams) -> None:
    data = encode(corners(), "MPO", save_all=True, append_images=[PIL.Image.new("RGB", (48, 64))])
    info = imaging.probe(data, image, "a")
    assert (info.format, info.frames) == ("MPO", 2)
    assert looks_like_corners(imaging.decode(data, image, "a"))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
@pytest.mark.filterwarnings("ignore:Truncated File Read:UserWarning")
def test_truncated(kind: str, share: float, image: ImageParams) -> None:
    data = encode(photo(120, 160), kind)
    with pytest.raises(ImageError, match=r"^shoe: the image is damaged or truncated \(.+\)$"):
        imaging.load(data[: int(len(data) * share)], image, "shoe")


@pytest.mark.parametrize("kind", FORMATS)
def test_any_damage_is_an_image_error_or_a_picture(kind: str, image: ImageParams) -> None:
    good = encode(photo(40, 50), kind)
    random = np.random.default_rng(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(150):
            data = bytearray(good)
            for place in random.integers(8, len(data), 4):
                data[place] = random.integers(256)
            with contextlib.suppress(ImageError):
                assert imaging.load(bytes(data), image, "a").shape == (32, 24, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"not really a photo\n", "this is text, not an image"),
        ("ceci n'est pas une image é".encode(), "this is no image of a known format"),
        (b"\x00\x01\x02" * 50, "this is no image of a known format"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x"></svg>', "SVG drawings are not read"),
        (b"\xef\xbb\xbf<svg/>", "SVG drawings are not read"),
        (b"<!DOCTYPE html><html></html>", "this is a web page, not an image"),
        (b"%PDF-1.7\n", "this is a PDF document, not an image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC images are not read; save it as JPEG"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF images are not read; save it as JPEG"),
        (b"RIFF\0\0\0\0WAVEfmt ", "this is no image of a known format"),
    ],
)
def test_other_files_are_refused_with_a_reason(
    data: bytes, reason: str, image: ImageParams, tmp_path: Path
) -> None:
    path = tmp_path / "shoe.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=reason) as caught:
        imaging.load(path, image)
    assert str(caught.value).startswith(f"{path}: ")
    with pytest.raises(ImageError, match=reason):
        imaging.probe(data, image, "shoe.jpg")


def test_missing_file_and_folder(image: ImageParams, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"^images/a\.jpg: the file is missing$"):
        imaging.load(tmp_path / "a.jpg", image, "images/a.jpg")
    with pytest.raises(ImageError, match="this is no regular file"):
        imaging.read(tmp_path, image)
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="this is no regular file"):
        imaging.read(tmp_path / "pipe.jpg", image)
    with pytest.raises(ImageError, match="the file cannot be read: .*null"):
        imaging.read(tmp_path / "a\0b", image)


def test_limit_on_bytes(image: ImageParams, tmp_path: Path) -> None:
    data = encode(photo(60, 80), "BMP")
    path = tmp_path / "a.bmp"
    path.write_bytes(data)
    tight = override(image, {"max_bytes": len(data)})
    assert imaging.load(path, tight).shape == (32, 24, 3)
    tight = override(image, {"max_bytes": len(data) - 1})
    for refuse in (lambda: imaging.read(path, tight), lambda: imaging.decode(data, tight, "a")):
        with pytest.raises(ImageError, match=f"the file has {len(data):,} bytes, more than"):
            refuse()


def test_huge_sparse_file_is_refused_unread(image: ImageParams, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ImageError, match="max_bytes"):
        imaging.load(path, image)


def test_limit_on_pixels(image: ImageParams) -> None:
    data = encode(photo(60, 80), "PNG")
    assert imaging.load(data, override(image, {"max_pixels": 4800})).shape == (32, 24, 3)
    with pytest.raises(ImageError, match="has 60 x 80 pixels, more than the 4,799"):
        imaging.load(data, override(image, {"max_pixels": 4799}))


@pytest.mark.parametrize("side", [9_000, 13_000, 30_000, 65_000])
def test_bombs_are_refused_from_the_header(side: int, image: ImageParams) -> None:
    start = time.perf_counter()
    with pytest.raises(ImageError, match=f"the image has {side} x {side} pixels, more than"):
        imaging.load(png_header(side, side), image)
    assert time.perf_counter() - start < 0.2


def test_webp_bomb_is_refused_from_the_header(image: ImageParams) -> None:
    data = bytearray(encode(photo(16, 16), "WEBP", lossless=True))
    data[21:25] = struct.pack("<I", 16382 | 16382 << 14)  # VP8L: 14 bits each, less one
    start = time.perf_counter()
    with pytest.raises(ImageError, match="pixels"):
        imaging.load(bytes(data), image)
    assert time.perf_counter() - start < 0.2


def test_limit_may_be_raised_beyond_pillow_own(image: ImageParams) -> None:
    generous = override(image, {"max_pixels": 10**10, "max_bytes": 10**9})
    assert imaging.probe(png_header(30_000, 30_000), generous, "a").width == 30_000


@pytest.mark.parametrize("orientation", [1, 6])
def test_scaled_decoding_is_close_to_full(orientation: int, image: ImageParams) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    data = encode(photo(800, 600), "JPEG", quality=90, exif=exif)
    full = imaging.decode(data, image, "a")
    scaled = imaging.decode(data, image, "a", at_least=(150, 150))
    assert full.shape[0] / scaled.shape[0] == 4
    assert min(scaled.shape[:2]) >= 150
    difference = np.abs(imaging.load(data, image).astype(int) - imaging.resize(full, image))
    assert difference.mean() < 1


def test_scaled_decoding_never_goes_below_what_is_asked(image: ImageParams) -> None:
    data = encode(photo(200, 100), "JPEG")
    assert imaging.decode(data, image, "a", at_least=(51, 10)).shape == (100, 200, 3)
    assert imaging.decode(data, image, "a", at_least=(50, 10)).shape == (50, 100, 3)
    assert imaging.decode(data, image, "a", at_least=(500, 500)).shape == (100, 200, 3)


def test_letterbox_keeps_all_and_pads_with_the_background(image: ImageParams) -> None:
    image = override(image, {"height": 40, "width": 40, "background": (1, 2, 3)})
    pixels = imaging.resize(np.array(corners(60, 30)), image)
    assert (pixels[:10] == (1, 2, 3)).all()
    assert (pixels[30:] == (1, 2, 3)).all()
    assert looks_like_corners(pixels[10:30])


def test_crop_fills_and_cuts_evenly(image: ImageParams) -> None:
    picture = np.zeros((30, 90, 3), np.uint8)
    picture[:, 30:60] = 255
    image = override(image, {"height": 40, "width": 40, "fit": "crop", "interpolation": "nearest"})
    assert (imaging.resize(picture, image) == 255).all()


def test_stretch_changes_the_shape(image: ImageParams) -> None:
    image = override(image, {"height": 40, "width": 40, "fit": "stretch"})
    assert looks_like_corners(imaging.resize(np.array(corners(120, 30)), image))


@pytest.mark.parametrize("fit", ["letterbox", "crop", "stretch"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (24, 32), (7, 333), (23, 31)])
def test_any_size_fits(
    fit: str, interpolation: str, size: tuple[int, int], image: ImageParams
) -> None:
    image = override(image, {"fit": fit, "interpolation": interpolation})
    plain = PIL.Image.new("RGB", size, RED)
    pixels = imaging.load(encode(plain, "PNG"), image)
    assert pixels.shape == (32, 24, 3)
    middle = pixels[14:18, 10:14].reshape(-1, 3)
    assert any(near(pixel, RED) for pixel in middle)  # of a thin line, one pixel is left


def test_an_image_of_the_right_size_is_left_alone(image: ImageParams) -> None:
    pixels = np.array(photo(24, 32))
    assert np.array_equal(imaging.resize(pixels, image), pixels)


def examined(data: bytes, image: ImageParams, side: int = 64) -> np.ndarray:
    """The frame of an image that can be decoded."""
    info, frame = imaging.examine(data, image, "a", side)
    assert info == imaging.probe(data, image, "a")
    assert isinstance(frame, np.ndarray)
    assert (frame.shape, frame.dtype) == ((side, side, 3), np.uint8)
    return frame


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("size", [(48, 64), (300, 40), (1, 1), (1, 200)])
def test_examine_squeezes_any_picture_to_a_square(
    kind: str, size: tuple[int, int], image: ImageParams
) -> None:
    frame = examined(encode(PIL.Image.new("RGB", size, RED), kind), image)
    assert near(frame.reshape(-1, 3).min(axis=0), RED)
    assert near(frame.reshape(-1, 3).max(axis=0), RED)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_examine_turns_upright(kind: str, orientation: int, image: ImageParams) -> None:
    data = as_camera(corners(480, 640), orientation, kind)
    assert looks_like_corners(examined(data, image))
    info, _ = imaging.examine(data, image, "a", 64)
    assert (info.width, info.height, info.orientation) == (480, 640, orientation)


def test_examine_shrinks_by_averaging(image: ImageParams) -> None:
    checks = np.indices((640, 640)).sum(axis=0) % 2 * 255
    data = encode(PIL.Image.fromarray(checks.astype(np.uint8)), "PNG")
    assert np.abs(examined(data, image).astype(int) - 127).max() <= 2


def test_examine_agrees_whether_a_jpeg_is_decoded_small_or_in_full(image: ImageParams) -> None:
    data = encode(photo(800, 600), "JPEG", quality=90)
    full = PIL.Image.fromarray(imaging.decode(data, image, "a"))
    expected = np.asarray(full.resize((64, 64), PIL.Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(examined(data, image) - expected).mean() < 3


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_examine_sees_the_first_frame_of_several(kind: str, image: ImageParams) -> None:
    others = [PIL.Image.new("RGB", (48, 64), color) for color in (RED, GREEN)]
    data = encode(corners(), kind, save_all=True, append_images=others)
    assert looks_like_corners(examined(data, image))
    assert imaging.examine(data, image, "a", 64)[0].frames == 3


def test_examine_shows_the_background_under_transparent_pixels(image: ImageParams) -> None:
    image = override(image, {"background": (10, 120, 240)})
    frame = examined(encode(PIL.Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"), image)
    assert (frame == (10, 120, 240)).all()


def test_examine_keeps_the_header_of_an_image_whose_pixels_are_damaged(image: ImageParams) -> None:
    data = encode(photo(120, 160), "JPEG")
    info, frame = imaging.examine(data[: len(data) // 2], image, "shoe", 64)
    assert (info.format, info.width, info.height) == ("JPEG", 120, 160)
    assert isinstance(frame, ImageError)
    assert str(frame).startswith("shoe: the image is damaged or truncated (")


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "the file is empty"), (b"text", "this is text"), (b"\xff\xd8\xff", "is damaged")],
)
def test_examine_refuses_what_has_no_header(data: bytes, words: str, image: ImageParams) -> None:
    with pytest.raises(ImageError, match=f"^shoe: .*{words}"):
        imaging.examine(data, image, "shoe", 64)


def test_examine_refuses_a_bomb_from_its_header(image: ImageParams) -> None:
    with pytest.raises(ImageError, match="has 30000 x 30000 pixels, more than"):
        imaging.examine(png_header(30_000, 30_000), image, "a", 64)


def test_many_threads_get_what_one_gets(image: ImageParams) -> None:
    turned = PIL.Image.Exif()
    turned[0x0112] = 6
    sources = [encode(photo(90 + 10 * i, 120), kind) for i, kind in enumerate(FORMATS)]
    sources.append(encode(photo(120, 90), "JPEG", exif=turned))
    sources.append(encode(corners().convert("CMYK"), "JPEG"))
    expected = [imaging.load(source, image) for source in sources]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda source: imaging.load(source, image), sources * 25))
    assert all(np.array_equal(pixels, expected[i % len(sources)]) for i, pixels in enumerate(found))
