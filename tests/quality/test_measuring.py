import hashlib
import os
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitrine import imaging
from vitrine.core.params import ImageParams, Params, override
from vitrine.quality import measuring
from vitrine.quality.facts import SCHEMA, Facts
from vitrine.quality.measuring import measure_bytes, measure_files
from vitrine.quality.store import FactStore

HEADER = ("format", "width", "height", "mode", "orientation", "aspect_ratio")
PIXELS = SCHEMA.names[SCHEMA.names.index("phash") :]


@pytest.fixture
def image(params: Params) -> ImageParams:
    return params.image


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty data folder."""
    (tmp_path / "data" / "images").mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture
def store(tmp_path: Path, image: ImageParams) -> Iterator[FactStore]:
    with FactStore(tmp_path / "facts.db", image) as store:
        yield store


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour passes after every change of a file."""
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3600 * 10**9)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the images that were decoded."""
    names: list[str] = []
    real = imaging.examine

    def examine(data: bytes, image: ImageParams, name: str, side: int) -> object:
        names.append(name)
        return real(data, image, name, side)

    monkeypatch.setattr(imaging, "examine", examine)
    return names


def _encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _noise(seed: int = 0, width: int = 40, height: int = 60) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def _fill(root: Path, count: int) -> list[str]:
    """Write as many different images; return their names."""
    names = [f"images/{number}.png" for number in range(count)]
    for number, name in enumerate(names):
        picture = Image.new("RGB", (20, 16), (number % 256, number // 256, 99))
        (root / name).write_bytes(_encoded(picture))
    return names


def _measure(root: Path, names: list[str], store: FactStore, image: ImageParams) -> list[Facts]:
    return list(measure_files(root, names, image, store, workers=2))


def _no_reading(*_: object) -> bytes:
    raise AssertionError("a file was read")


def _same_times(path: Path, content: bytes) -> None:
    """Replace a file's content and give it the times it had."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_good_image(image: ImageParams) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = _encoded(_noise(), "JPEG", exif=exif)
    found = measure_bytes(data, image, "images/a.jpg")
    assert (found.image, found.readable, found.reason) == ("images/a.jpg", True, "")
    assert (found.format, found.mode, found.orientation) == ("JPEG", "RGB", 6)
    assert (found.width, found.height) == (60, 40)  # upright: the camera lay on its side
    assert found.aspect_ratio == 1.5
    assert found.bytes == len(data)
    assert found.md5 == hashlib.md5(data).hexdigest()
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.brightness == pytest.approx(127, abs=10)
    assert all(getattr(found, name) is not None for name in SCHEMA.names)


@pytest.mark.parametrize(
    ("picture", "kind", "options", "expected"),
    [
        (Image.new("CMYK", (30, 20), (0, 0, 0, 0)), "JPEG", {}, ("JPEG", "CMYK", 255)),
        (Image.new("I;16", (30, 20), 0x8080), "PNG", {}, ("PNG", "I;16", 128)),
        (Image.new("1", (30, 20), 1), "PNG", {}, ("PNG", "1", 255)),
        (Image.new("LA", (30, 20), (0, 0)), "PNG", {}, ("PNG", "LA", 255)),
        (
            Image.new("L", (30, 20), 200),
            "GIF",
            {"save_all": True, "append_images": [Image.new("L", (30, 20), 10)]},
            ("GIF", "P", 200),
        ),
        (
            Image.new("L", (30, 20), 200),
            "WEBP",
            {"save_all": True, "append_images": [Image.new("L", (30, 20), 10)], "lossless": True},
            ("WEBP", "RGB", 200),
        ),
    ],
)
def test_every_kind_of_pixels_is_measured(
    picture: Image.Image,
    kind: str,
    options: dict[str, object],
    expected: tuple[str, str, int],
    image: ImageParams,
) -> None:
    found = measure_bytes(_encoded(picture, kind, **options), image, "a")
    assert found.reason == ""
    assert (found.format, found.mode) == expected[:2]
    assert found.brightness == pytest.approx(expected[2], abs=1)
    assert (found.width, found.height, found.contrast) == (30, 20, pytest.approx(0, abs=0.1))


def test_a_damaged_image_keeps_what_its_header_says(image: ImageParams) -> None:
    data = _encoded(_noise(), "JPEG")[:-800]
    found = measure_bytes(data, image, "images/a.jpg")
    assert not found.readable
    assert found.reason.startswith("the image is damaged or truncated (")
    assert (found.format, found.width, found.bytes) == ("JPEG", 40, len(data))
    assert found.md5 == hashlib.md5(data).hexdigest()
    assert {getattr(found, name) for name in PIXELS if name != "aspect_ratio"} == {None}


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "the file is empty"), (b"Not a picture.\n", "this is text, not an")]
)
def test_what_is_no_image_has_bytes_and_digests_only(
    data: bytes, reason: str, image: ImageParams
) -> None:
    found = measure_bytes(data, image, "a")
    assert not found.readable
    assert found.reason.startswith(reason)
    assert (found.bytes, found.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert {getattr(found, name) for name in (*HEADER, *PIXELS)} == {None}


def test_files_are_measured_in_the_order_of_their_names_across_batches(
    root: Path, store: FactStore, image: ImageParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "BATCH", 4)
    names = _fill(root, 30)
    (root / names[5]).unlink()
    (root / names[17]).write_bytes(b"")
    order = [names[i] for i in np.random.default_rng(0).permutation(30)]
    found = _measure(root, order, store, image)
    assert [facts.image for facts in found] == order
    assert {facts.image: facts.reason for facts in found if not facts.readable} == {
        names[5]: "the file is missing",
        names[17]: "the file is empty",
    }
    for facts in found:
        if facts.readable:
            assert facts == measure_bytes((root / facts.image).read_bytes(), image, facts.image)


def test_no_names_no_facts(root: Path, store: FactStore, image: ImageParams) -> None:
    assert _measure(root, [], store, image) == []


def test_large_files_are_not_held_together(
    root: Path, store: FactStore, image: ImageParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = _fill(root, 9)
    expected = [measure_bytes((root / name).read_bytes(), image, name) for name in names]
    monkeypatch.setattr(measuring, "_READ_AT_ONCE", 100)
    assert _measure(root, names, store, image) == expected


@pytest.mark.parametrize(
    "name", ["images/none.jpg", "x" * 300 + ".jpg", "a\0b.jpg", "images/0.png/b.jpg", "a/../b.jpg"]
)
def test_a_file_that_is_not_there_has_no_bytes(
    root: Path, store: FactStore, image: ImageParams, name: str
) -> None:
    (good,) = _fill(root, 1)
    missing, found = _measure(root, [name, good], store, image)
    assert found.readable
    assert not missing.readable
    assert missing.reason.startswith(("the file is missing", "the file cannot be read: "))
    assert (missing.bytes, missing.md5, missing.sha256) == (None, None, None)


def test_what_is_no_file_is_refused(root: Path, store: FactStore, image: ImageParams) -> None:
    (root / "images" / "folder.png").mkdir()
    os.mkfifo(root / "images" / "pipe.png")
    found = _measure(root, ["images/folder.png", "images/pipe.png"], store, image)
    assert [facts.reason for facts in found] == ["this is no regular file"] * 2


def test_a_file_over_the_limit_is_not_read_but_its_size_is_known(
    root: Path, store: FactStore, image: ImageParams
) -> None:
    (name,) = _fill(root, 1)
    size = (root / name).stat().st_size
    (found,) = _measure(root, [name], store, override(image, {"max_bytes": size - 1}))
    assert (found.bytes, found.md5) == (size, None)
    assert found.reason.startswith(f"the file has {size:,} bytes, more than the ")


@pytest.mark.parametrize("name", ["鞋 ü.png", "a'b\"; DROP TABLE files;--.png", "%s{0}.png"])
@pytest.mark.usefixtures("settled")
def test_odd_names_are_names(
    root: Path, store: FactStore, image: ImageParams, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "images" / name).write_bytes(_encoded(_noise()))
    (first,) = _measure(root, [f"images/{name}"], store, image)
    assert (first.image, first.readable) == (f"images/{name}", True)
    monkeypatch.setattr(imaging, "read", _no_reading)
    assert _measure(root, [f"images/{name}"], store, image) == [first]


@pytest.mark.usefixtures("settled")
def test_unchanged_files_are_not_read_again(
    root: Path, store: FactStore, image: ImageParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = _fill(root, 20)
    (root / names[3]).write_bytes(b"no image")  # known faults are not looked at again either
    first = _measure(root, names, store, image)
    monkeypatch.setattr(imaging, "read", _no_reading)
    assert _measure(root, names[::-1], store, image) == first[::-1]


@pytest.mark.usefixtures("settled")
def test_another_process_reads_nothing_again(
    tmp_path: Path, root: Path, image: ImageParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = _fill(root, 3)
    with FactStore(tmp_path / "kept.db", image) as store:
        first = _measure(root, names, store, image)
    monkeypatch.setattr(imaging, "read", _no_reading)
    with FactStore(tmp_path / "kept.db", image) as store:
        assert _measure(root, names, store, image) == first


def test_a_file_that_has_just_changed_is_read_again(
    root: Path, store: FactStore, image: ImageParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its next change might fall into the same tick of the clock.
    names = _fill(root, 1)
    _measure(root, names, store, image)
    read = []
    real = imaging.read
    monkeypatch.setattr(imaging, "read", lambda *given: read.append(given[2]) or real(*given))
    _measure(root, names, store, image)
    assert read == names


@pytest.mark.usefixtures("settled")
def test_a_replaced_file_is_noticed_although_size_and_time_are_the_same(
    root: Path, store: FactStore, image: ImageParams
) -> None:
    path = root / "images" / "a.bmp"
    path.write_bytes(_encoded(_noise(1), "BMP"))
    before = path.stat()
    (first,) = _measure(root, ["images/a.bmp"], store, image)
    _same_times(path, _encoded(_noise(2), "BMP"))
    (second,) = _measure(root, ["images/a.bmp"], store, image)
    after = path.stat()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert second == measure_bytes(path.read_bytes(), image, "images/a.bmp")
    assert second.sha256 != first.sha256


@pytest.mark.usefixtures("settled")
def test_a_file_that_another_one_was_moved_over_is_noticed(
    root: Path, store: FactStore, image: ImageParams
) -> None:
    names = _fill(root, 2)
    for name in names:
        os.utime(root / name, (10**9, 10**9))
    first = _measure(root, names, store, image)
    (root / names[1]).replace(root / names[0])
    second, missing = _measure(root, names, store, image)
    assert second.sha256 == first[1].sha256
    assert missing.reason == "the file is missing"


def test_renamed_and_copied_files_are_known_by_their_content(
    root: Path, store: FactStore, image: ImageParams, decoded: list[str]
) -> None:
    names = _fill(root, 3)
    first = _measure(root, names, store, image)
    assert sorted(decoded) == names
    (root / names[0]).rename(root / "images" / "renamed.png")
    (root / "images" / "copy.png").write_bytes((root / names[1]).read_bytes())
    found = _measure(root, ["images/renamed.png", "images/copy.png"], store, image)
    assert sorted(decoded) == names
    assert [facts.image for facts in found] == ["images/renamed.png", "images/copy.png"]
    assert [facts.phash for facts in found] == [first[0].phash, first[1].phash]


def test_equal_files_have_facts_under_their_own_names(
    root: Path, store: FactStore, image: ImageParams
) -> None:
    names = [*_fill(root, 1), "images/twin.png"]
    (root / names[1]).write_bytes((root / names[0]).read_bytes())
    for _ in range(2):
        one, two = _measure(root, names, store, image)
        assert (one.image, two.image) == (names[0], names[1])
        assert one.sha256 == two.sha256
        assert one.readable
        assert two.readable


@pytest.mark.parametrize("kind", ["file", "folder", "chain"])
def test_a_link_that_leads_out_of_the_data_folder_is_refused(
    tmp_path: Path, root: Path, store: FactStore, image: ImageParams, kind: str
) -> None:
    outside = tmp_path / "private" / "a.png"
    outside.parent.mkdir()
    outside.write_bytes(_encoded(_noise()))
    name = "images/a.png"
    if kind == "folder":
        (root / "images" / "linked").symlink_to(outside.parent)
        name = "images/linked/a.png"
    else:
        target = outside
        if kind == "chain":
            target = root / "images" / "between.png"
            target.symlink_to(outside)
        (root / name).symlink_to(target)
    (found,) = _measure(root, [name], store, image)
    assert not found.readable
    assert found.reason == (
        f"the link leads out of data/, to {outside.resolve()}; put the file itself there"
    )
    assert found.bytes == outside.stat().st_size
    assert (found.md5, found.width, found.phash) == (None, None, None)


def test_links_within_the_data_folder_and_into_a_dvc_cache_are_followed(
    tmp_path: Path, root: Path, store: FactStore, image: ImageParams
) -> None:
    data = _encoded(_noise())
    digest = hashlib.md5(data).hexdigest()
    cached = tmp_path / "cache" / "files" / "md5" / digest[:2] / digest[2:]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(data)
    (root / "images" / "dvc.png").symlink_to(cached)
    (root / "images" / "within.png").symlink_to("dvc.png")
    (root / "images" / "plain.png").write_bytes(data)
    (root / "images" / "local.png").symlink_to("plain.png")
    names = [f"images/{name}.png" for name in ("dvc", "within", "local")]
    found = _measure(root, names, store, image)
    assert [facts.reason for facts in found] == [""] * 3
    assert {facts.md5 for facts in found} == {digest}


@pytest.mark.parametrize(
    "target", ["files/md5/ab/cdef.png", "md5/ab/" + "0" * 30, "files/md5/ab/" + "0" * 30 + "/a.png"]
)
def test_what_only_resembles_a_dvc_cache_is_outside(
    tmp_path: Path, root: Path, store: FactStore, image: ImageParams, target: str
) -> None:
    path = tmp_path / "elsewhere" / target
    path.parent.mkdir(parents=True)
    path.write_bytes(_encoded(_noise()))
    (root / "images" / "a.png").symlink_to(path)
    (found,) = _measure(root, ["images/a.png"], store, image)
    assert found.reason.startswith("the link leads out of data/, to ")


def test_the_data_folder_itself_may_be_a_link(
    tmp_path: Path, root: Path, store: FactStore, image: ImageParams
) -> None:
    names = _fill(root, 2)
    linked = tmp_path / "linked"
    linked.symlink_to(root)
    assert all(facts.readable for facts in _measure(linked, names, store, image))


def test_a_dangling_link_is_a_missing_file(
    root: Path, store: FactStore, image: ImageParams
) -> None:
    (root / "images" / "a.png").symlink_to("nowhere.png")
    (found,) = _measure(root, ["images/a.png"], store, image)
    assert (found.reason, found.bytes) == ("the file is missing", None)


@pytest.mark.usefixtures("settled")
def test_a_link_whose_target_changes_is_noticed(
    root: Path, store: FactStore, image: ImageParams
) -> None:
    first, second = _fill(root, 2)
    link = root / "images" / "link.png"
    link.symlink_to(root / first)
    (before,) = _measure(root, ["images/link.png"], store, image)
    link.unlink()
    link.symlink_to(root / second)
    (after,) = _measure(root, ["images/link.png"], store, image)
    assert before.sha256 != after.sha256


def test_the_result_does_not_depend_on_the_number_of_threads(
    tmp_path: Path, root: Path, image: ImageParams
) -> None:
    names = _fill(root, 150)
    found = []
    for workers in (1, 3):
        with FactStore(tmp_path / f"{workers}.db", image) as store:
            found.append(list(measure_files(root, names, image, store, workers=workers)))
    assert found[0] == found[1]
    assert len(found[0]) == 150
