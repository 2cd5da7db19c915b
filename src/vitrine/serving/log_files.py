"""Files of lines that one process appends to, each of a bounded size, and not too many of them."""

import mmap
import os
from pathlib import Path

from vitrine.serving.claims import Claim, claim

PATTERN = "predictions-*.jsonl"


class LogFiles:
    """The newest file of a worker, and the older ones it keeps.

    A worker that takes the place of a dead one goes on with its files: they do not become more
    than `keep` a worker, however often workers end.

    Args:
        folder: Where they are; made at the first line.
        max_bytes: After which a file is followed by the next. Only a single line may be larger.
        keep: How many are kept; the oldest goes.
    """

    def __init__(self, folder: Path, max_bytes: int, keep: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._keep = keep
        self._claim: Claim | None = None
        self._descriptor: int | None = None

    def append(self, line: str) -> None:
        """Write one line, the whole or nothing of it.

        Raises:
            OSError: It cannot be written now, for want of space for example.
        """
        data = line.encode() + b"\n"
        descriptor, size = self._with_room(len(data))
        try:
            if os.write(descriptor, data) < len(data):
                raise OSError(f"no space for a whole line in {self._folder}")
        except OSError:
            os.ftruncate(descriptor, size)
            raise

    def close(self) -> None:
        """Let another process go on with the files."""
        self._shut()
        if self._claim:
            self._claim.free()
            self._claim = None

    def _with_room(self, length: int) -> tuple[int, int]:
        descriptor = self._descriptor
        # Somebody may have deleted it.
        if descriptor is None or not os.fstat(descriptor).st_nlink:
            descriptor = self._open(follows=False)
        size = os.fstat(descriptor).st_size
        if size and size + length > self._max_bytes:
            return self._open(follows=True), 0
        return descriptor, size

    def _open(self, follows: bool) -> int:
        self._shut()
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._claim and not os.fstat(self._claim.descriptor).st_nlink:
            self.close()
        if self._claim is None:
            self._claim = claim(self._folder)
        prefix = f"predictions-{self._claim.number}-"
        # By a number that only grows: clocks are put back.
        files = sorted(self._folder.glob(f"{prefix}*.jsonl"))
        last = int(files[-1].stem.removeprefix(prefix)) if files else 0
        number = max(last + follows, 1)
        path = self._folder / f"{prefix}{number:08}.jsonl"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
        _end_with_a_line(self._descriptor)
        for old in files[: len(files) + (path not in files) - self._keep]:
            old.unlink(missing_ok=True)
        return self._descriptor

    def _shut(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _end_with_a_line(descriptor: int) -> None:
    # What a killed process left may end in the midst of one.
    if not os.fstat(descriptor).st_size:
        return
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        whole = data.rfind(b"\n") + 1
    os.ftruncate(descriptor, whole)
