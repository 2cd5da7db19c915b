"""One pass over the files of a catalogue: what is known is looked up, what is new is measured."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.core.digests import bytes_digest, dvc_digest
from vitrine.core.errors import ImageError
from vitrine.core.parallel import map_in_order
from vitrine.core.params import ImageParams
from vitrine.quality import pixels
from vitrine.quality.facts import Facts
from vitrine.quality.store import FactStore, Signature

BATCH = 256
"""Images that a thread takes at a time, with one look into the store."""
_FRAMES = 64
"""Frames that are measured together: more would not stay in the processor's cache."""
_DVC_CACHE = re.compile(r"/files/md5/[0-9a-f]{2}/[0-9a-f]{30}$")

_READ_AT_ONCE = 8 * 2**20
"""Bytes of files that a thread holds before it measures them."""
_Started = tuple[dict[str, Any], NDArray[np.uint8] | None]
"""What the file and its header say, and the frame of an image that could be decoded."""


def measure_bytes(data: bytes, image: ImageParams, name: str) -> Facts:
    """Return what can be known of the bytes of an image file; a fault of theirs is a fact."""
    return _finish([_start(name, data, dvc_digest(data), image)])[0]


def measure_files(
    root: Path, names: Iterable[str], image: ImageParams, store: FactStore, *, workers: int
) -> Iterator[Facts]:
    """Yield what can be known of the image files of a data folder, in the order of their names.

    A fault of a file is a fact, not an error. Memory does not grow with the number of files.

    Args:
        root: The data folder.
        names: Paths under it, as the manifest has them.
        image: The limits on bytes and pixels.
        store: What is known already; what is measured is added.
        workers: Threads; 0 = one a CPU.
    """
    measurer = _Measurer(root, image, store)
    arriving = iter(names)
    batches = iter(lambda: list(islice(arriving, BATCH)), [])
    for facts in map_in_order(measurer.measure, batches, workers=workers, chunk=1):
        yield from facts


class _Measurer:
    def __init__(self, root: Path, image: ImageParams, store: FactStore) -> None:
        self._root = root
        self._image = image
        self._store = store
        self._home = os.path.realpath(root)
        self._folders: dict[str, str] = {}

    def measure(self, names: Sequence[str]) -> list[Facts]:
        """Return the facts of some files; what is measured goes into the store."""
        looked = [self._look_at(name) for name in names]
        found = {facts.image: facts for facts in looked if isinstance(facts, Facts)}
        signatures = {one.path: one for one in looked if isinstance(one, Signature)}
        unchanged = self._store.contents_of_files(list(signatures.values()))
        found |= self._store.of_files(unchanged)
        read = self._read([name for name in names if name not in found])
        self._store.add(read.values(), signatures.values())
        return [read[name] if name in read else found[name] for name in names]

    def _look_at(self, name: str) -> Signature | Facts | None:
        """Return the file's signature, or facts that refuse a link, or None: reading says why."""
        path = f"{self._root}/{name}"  # strings: pathlib would double the time that a look takes
        try:
            status = os.lstat(path)
            link = stat.S_ISLNK(status.st_mode)
            status = os.stat(path) if link else status  # noqa: PTH116
        except (OSError, ValueError):  # missing, behind a closed folder, or no possible name
            return None
        if target := self._leads_out(path, link=link):
            reason = f"the link leads out of data/, to {target}; put the file itself there"
            return Facts(name, bytes=status.st_size, reason=reason)
        times = (status.st_mtime_ns, status.st_ctime_ns)
        return Signature(name, status.st_size, *times, status.st_ino)

    def _leads_out(self, path: str, *, link: bool) -> str:
        """Return where a path ends, if that is neither in the data folder nor in DVC's cache."""
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        target = os.path.realpath(path) if link else f"{self._folders[folder]}{os.sep}{name}"
        inside = target.startswith(self._home + os.sep) or _DVC_CACHE.search(target)
        return "" if inside else target

    def _read(self, names: Sequence[str]) -> dict[str, Facts]:
        """Return the facts of files that have to be read, and decoded where they are new."""
        found: dict[str, Facts] = {}
        held: dict[str, bytes] = {}
        started: list[_Started] = []
        for name in names:
            try:
                held[name] = imaging.read(self._root / name, self._image, name)
            except ImageError as error:
                found[name] = Facts(name, bytes=_size(self._root / name), reason=error.reason)
            if sum(map(len, held.values())) > _READ_AT_ONCE:
                started += self._look_up(held, found)
                held = {}
        started += self._look_up(held, found)
        return found | {facts.image: facts for facts in _finish(started)}

    def _look_up(self, held: dict[str, bytes], found: dict[str, Facts]) -> list[_Started]:
        """Add what is known of some contents to `found`; return the start of the others."""
        contents = {name: dvc_digest(data) for name, data in held.items()}
        known = self._store.of_files(contents)
        found |= known
        return [
            _start(name, data, contents[name], self._image)
            for name, data in held.items()
            if name not in known
        ]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return None


def _start(name: str, data: bytes, md5: str, image: ImageParams) -> _Started:
    known = {"image": name, "bytes": len(data), "md5": md5, "sha256": bytes_digest(data)}
    try:
        info, frame = imaging.examine(data, image, name, pixels.SIDE)
    except ImageError as error:
        return known | {"reason": error.reason}, None
    known |= {
        "format": info.format,
        "width": info.width,
        "height": info.height,
        "mode": info.mode,
        "orientation": info.orientation,
        "aspect_ratio": max(info.width, info.height) / min(info.width, info.height),
    }
    if isinstance(frame, ImageError):
        return known | {"reason": frame.reason}, None
    return known | {"readable": True}, frame


def _finish(started: Sequence[_Started]) -> list[Facts]:
    """Return the facts, with what the frames say, measured all at once."""
    decoded = [(known, frame) for known, frame in started if frame is not None]
    for start in range(0, len(decoded), _FRAMES):
        some = decoded[start : start + _FRAMES]
        measured = pixels.measure_frames(np.stack([frame for _, frame in some])).rows()
        for (known, _), values in zip(some, measured, strict=True):
            known.update(values)
    return [Facts(**known) for known, _ in started]
