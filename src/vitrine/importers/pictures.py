"""Reading a source's pictures, checking that they decode, and giving each its place."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from vitrine import imaging
from vitrine.core.digests import bytes_digest, file_digest
from vitrine.core.errors import ImageError
from vitrine.core.parallel import map_in_order
from vitrine.core.params import ImageParams
from vitrine.importers.source import Candidate

_UNSAFE = re.compile(r"[^\w.+-]+")
_NO_LINKS = (errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.EACCES)
_CHUNK = 8
"""Pictures that a thread holds at a time; few, since phone photos are large."""


def fetch(
    candidates: Iterator[Candidate], image: ImageParams
) -> Iterator[tuple[Candidate, bytes | ImageError]]:
    """Yield each candidate with the bytes of its picture, or with the reason why it has none.

    Every picture is decoded once, at a reduced scale where that is possible: what comes through
    here is a whole image within the limits.
    """

    def take(candidate: Candidate) -> tuple[Candidate, bytes | ImageError]:
        picture, origin = candidate.picture, candidate.origin
        try:
            data = imaging.read(picture, image, origin) if isinstance(picture, Path) else picture()
            imaging.decode(data, image, origin, at_least=(1, 1))
        except ImageError as error:
            return candidate, error
        return candidate, data

    yield from map_in_order(take, candidates, workers=0, chunk=_CHUNK)


def place(folder: Path, name: str, data: bytes) -> str | None:
    """Write a picture under images/ of a folder, byte for byte, and return its path in there.

    A name that another picture has already gets a piece of the digest added. Nothing is ever
    written over: the folder may hold links into a cache.

    Returns:
        The path with forward slashes, or None when the very same picture lies there already.
    """
    path = PurePosixPath("images", *_safe_parts(name))
    digest = bytes_digest(data)
    for choice in (path, path.with_name(f"{path.stem[:60]}-{digest[:12]}{path.suffix}")):
        target = folder / choice
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(data)
            return str(choice)
        if target.is_file() and file_digest(target) == digest:
            return None
    raise AssertionError(f"two pictures with the digest {digest[:12]}")


def _safe_parts(name: str) -> list[str]:
    """Return the parts of a path with only letters, digits and `_.+-`, none of them hidden."""
    parts = [
        part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..")
    ]
    return [_UNSAFE.sub("_", part).lstrip(".") or "_" for part in parts]


def link_tree(old: Path, new: Path) -> None:
    """Bring the files of a data folder, all but its manifest, into a new one beside it.

    They are hard-linked where the file system can, so this is quick and takes no space.
    """
    ignore = shutil.ignore_patterns("manifest.csv")
    shutil.copytree(old, new, symlinks=True, ignore=ignore, copy_function=_link, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(source, target)
