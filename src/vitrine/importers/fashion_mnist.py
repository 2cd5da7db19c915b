"""Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 70,000 grey images of 28 x 28 in IDX files."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urljoin
from urllib.request import urlopen

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from vitrine.core.errors import ImportFailed
from vitrine.core.files import atomic_file
from vitrine.core.layout import scratch
from vitrine.core.progress import track
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.importers.source import Candidate, Remark

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
"""The digests that the makers of the set publish."""

_CLASSES = (
    ("T-shirt/top", "T恤"),
    ("Trouser", "裤子"),
    ("Pullover", "套头衫"),
    ("Dress", "连衣裙"),
    ("Coat", "外套"),
    ("Sandal", "凉鞋"),
    ("Shirt", "衬衫"),
    ("Sneaker", "运动鞋"),
    ("Bag", "包"),
    ("Ankle boot", "短靴"),
)
_VAL_EVERY = 10
"""The official test split is kept; of the official train split, every tenth image is val."""


class FashionMnist:
    """The four IDX files of a folder, packed by gzip or not.

    Args:
        root: The folder.
    """

    title = "fashion-mnist"

    def __init__(self, root: Path) -> None:
        self.root = root

    def taxonomy(self) -> Taxonomy | None:
        """Return the ten classes in their official order; the set knows no styles."""
        labels = (Label(name=en, display={"en": en, "zh": zh}) for en, zh in _CLASSES)
        return Taxonomy(styles=(), categories=tuple(labels))

    def __iter__(self) -> Iterator[Candidate | Remark]:
        """Yield the train images, then the test images."""
        for part in ("train", "t10k"):
            images = _idx(self.root, f"{part}-images-idx3-ubyte", dimensions=3)
            labels = _idx(self.root, f"{part}-labels-idx1-ubyte", dimensions=1)
            if len(images) != len(labels) or labels.max(initial=0) >= len(_CLASSES):
                raise ImportFailed(
                    f"{self.root}: the {part} images and labels do not belong together"
                )
            for index, (pixels, label) in enumerate(zip(images, labels, strict=True)):
                val = index % _VAL_EVERY == _VAL_EVERY - 1
                yield Candidate(
                    origin=f"{part} image {index}",
                    name=f"{part}/{index:05}.png",
                    picture=partial(_png, pixels),
                    category=_CLASSES[label][0],
                    split="test" if part == "t10k" else "val" if val else "train",
                )


def locate(folder: Path | None, address: str) -> Path:
    """Return where the files lie: the folder given, that of Debian's package, or a fresh download.

    Raises:
        ImportFailed: A file cannot be downloaded, or is not the one that the makers published.
    """
    if folder is not None or DEBIAN.is_dir():
        return folder or DEBIAN
    downloads = scratch("fashion-mnist")
    for name in track(MD5, "Downloading"):
        _download(urljoin(address, name), downloads / name, MD5[name])
    return downloads


def _download(url: str, path: Path, md5: str) -> None:
    if path.exists() and _md5(path.read_bytes()) == md5:
        return
    try:
        with urlopen(url, timeout=30) as answer:  # noqa: S310 - the digest is checked
            data = answer.read()
    except (URLError, OSError) as error:
        raise ImportFailed(
            f"{url} cannot be downloaded ({error}): try again, install Debian's package "
            "dataset-fashion-mnist, or name a folder that holds the files"
        ) from None
    if (found := _md5(data)) != md5:
        raise ImportFailed(
            f"{url} is not the published file: its MD5 must be {md5}, but got {found}; try "
            "again, or name a folder that holds the files"
        )
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _idx(folder: Path, name: str, dimensions: int) -> NDArray[np.uint8]:
    """Return the array of an IDX file: a magic number, the sizes, then one byte a value."""
    packed, plain = folder / f"{name}.gz", folder / name
    path = packed if packed.exists() else plain
    try:
        data = gzip.decompress(path.read_bytes()) if path == packed else path.read_bytes()
    except FileNotFoundError:
        raise ImportFailed(
            f"{plain} is missing, and so is {packed.name}: give their folder"
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportFailed(f"{path} is damaged ({error}): fetch it anew") from None
    start = 4 * (1 + dimensions)
    header = np.frombuffer(data[: len(data[:start]) // 4 * 4], ">u4")
    shape = tuple(int(size) for size in header[1:])
    if len(header) != 1 + dimensions or header[0] != 0x800 + dimensions:
        raise ImportFailed(f"{path} is no IDX file of {dimensions} dimensions: fetch it anew")
    if len(data) - start != int(np.prod(shape)):
        raise ImportFailed(
            f"{path} is truncated: must hold {int(np.prod(shape)):,} values, but got "
            f"{len(data) - start:,}; fetch it anew"
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
