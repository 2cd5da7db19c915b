"""Fashion-MNIST from small IDX files, and its download from a server of our own."""

import gzip
import hashlib
import struct
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vitrine.core.errors import ImportFailed
from vitrine.core.manifest import Catalogue
from vitrine.importers import fashion_mnist
from vitrine.importers.fashion_mnist import FashionMnist, locate
from vitrine.importers.report import Imported

BringIn = Callable[..., Imported]


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">I{values.ndim}I", 0x800 + values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def pixels() -> np.ndarray:
    """20 train images and 5 test images."""
    return np.random.default_rng(7).integers(0, 256, (25, 28, 28), np.uint8)


@pytest.fixture(params=["packed", "plain"])
def folder(request: pytest.FixtureRequest, workplace: Path, pixels: np.ndarray) -> Path:
    return write(workplace / "idx", pixels, packed=request.param == "packed")


def write(folder: Path, pixels: np.ndarray, packed: bool) -> Path:
    folder.mkdir()
    labels = (np.arange(25) % 10).astype(np.uint8)
    for part, some in (("train", slice(20)), ("t10k", slice(20, 25))):
        for name, values in (("images-idx3", pixels[some]), ("labels-idx1", labels[some])):
            path = folder / f"{part}-{name}-ubyte"
            data = idx(values)
            if packed:
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(data))
            else:
                path.write_bytes(data)
    return folder


@pytest.fixture
def plain(workplace: Path, pixels: np.ndarray) -> Path:
    return write(workplace / "idx", pixels, packed=False)


@pytest.fixture
def server(workplace: Path, pixels: np.ndarray) -> Iterator[str]:
    """The address of a server that offers packed files."""
    folder = write(workplace / "served", pixels, packed=True)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_images_labels_and_split(folder: Path, bring_in: BringIn, pixels: np.ndarray) -> None:
    result = bring_in(FashionMnist(folder))
    assert result.added == 25
    rows = list(Catalogue(Path("data")).rows())
    assert [row.split for row in rows] == (["train"] * 9 + ["val"]) * 2 + ["test"] * 5
    assert rows[3].category == "Dress"
    assert rows[20].image == "images/t10k/00000.png"
    assert {row.style for row in rows} == {""}
    for row, expected in zip(rows, pixels, strict=True):
        with PIL.Image.open(Path("data") / row.image) as picture:
            assert np.array_equal(picture, expected)


def test_taxonomy_is_the_official_one_in_order(plain: Path, bring_in: BringIn) -> None:
    bring_in(FashionMnist(plain), limit=4)
    taxonomy = Catalogue(Path("data")).taxonomy()
    assert taxonomy.names("category")[:2] == ("T-shirt/top", "Trouser")
    assert len(taxonomy.categories) == 10
    assert taxonomy.categories[9].text("zh") == "短靴"
    assert taxonomy.styles == ()


def damage(change: Callable[[bytes], bytes], path: Path) -> None:
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-10], "is truncated: must hold 15,680 values, but got 15,670"),
        (lambda data: data + b"x", "is truncated: must hold"),
        (lambda data: data[:9], "is no IDX file of 3 dimensions"),
        (lambda data: b"", "is no IDX file of 3 dimensions"),
        (lambda data: b"\0\0\x08\x01" + data[4:], "is no IDX file of 3 dimensions"),
    ],
)
def test_damaged_files(
    change: Callable[[bytes], bytes], message: str, plain: Path, bring_in: BringIn
) -> None:
    damage(change, plain / "train-images-idx3-ubyte")
    with pytest.raises(ImportFailed, match=message):
        bring_in(FashionMnist(plain))
    assert not Path("data").exists()


def test_damaged_packing(workplace: Path, pixels: np.ndarray, bring_in: BringIn) -> None:
    folder = write(workplace / "idx", pixels, packed=True)
    damage(lambda data: data[:-100], folder / "train-images-idx3-ubyte.gz")
    with pytest.raises(
        ImportFailed, match=r"train-images-idx3-ubyte.gz is damaged .*: fetch it anew"
    ):
        bring_in(FashionMnist(folder))


@pytest.mark.parametrize("labels", [np.zeros(19, np.uint8), np.full(20, 10, np.uint8)])
def test_labels_that_do_not_fit(labels: np.ndarray, plain: Path, bring_in: BringIn) -> None:
    (plain / "train-labels-idx1-ubyte").write_bytes(idx(labels))
    with pytest.raises(ImportFailed, match="the train images and labels do not belong together"):
        bring_in(FashionMnist(plain))


def test_missing_file(plain: Path, bring_in: BringIn) -> None:
    (plain / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(ImportFailed, match=r"t10k-labels-idx1-ubyte is missing, and so is .*\.gz"):
        bring_in(FashionMnist(plain))


def test_a_folder_comes_before_debian_and_debian_before_download(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debian = workplace / "debian"
    debian.mkdir()
    monkeypatch.setattr(fashion_mnist, "DEBIAN", debian)
    assert locate(Path("mine"), "http://127.0.0.1:1/") == Path("mine")
    assert locate(None, "http://127.0.0.1:1/") == debian


def test_download_of_other_files_is_refused(
    server: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion_mnist, "DEBIAN", workplace / "nowhere")
    with pytest.raises(
        ImportFailed,
        match=r"is not the published file: its MD5 must be 8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    ):
        locate(None, server)
    assert not list(Path(".cache").rglob("*.gz*"))


def test_download(
    server: str, workplace: Path, monkeypatch: pytest.MonkeyPatch, bring_in: BringIn
) -> None:
    monkeypatch.setattr(fashion_mnist, "DEBIAN", workplace / "nowhere")
    served = {path.name: path.read_bytes() for path in (workplace / "served").iterdir()}
    digests = {name: hashlib.md5(data).hexdigest() for name, data in served.items()}
    monkeypatch.setattr(fashion_mnist, "MD5", digests)
    downloads = locate(None, server)
    assert {path.name: path.read_bytes() for path in downloads.iterdir()} == served
    assert bring_in(FashionMnist(downloads)).added == 25
    assert locate(None, "http://127.0.0.1:1/") == downloads  # nothing is fetched twice


def test_unreachable_address(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "DEBIAN", workplace / "nowhere")
    with pytest.raises(ImportFailed, match=r"cannot be downloaded .* install Debian's package"):
        locate(None, "http://127.0.0.1:1/")


@pytest.mark.skipif(
    not fashion_mnist.DEBIAN.is_dir(), reason="dataset-fashion-mnist is not installed"
)
def test_the_real_set(bring_in: BringIn) -> None:
    result = bring_in(FashionMnist(fashion_mnist.DEBIAN), limit=700)
    assert result.added == 700
    splits = [row.split for row in Catalogue(Path("data")).rows()]
    assert splits.count("test") == 100
