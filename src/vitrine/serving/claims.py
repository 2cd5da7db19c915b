"""Numbers that processes hold for as long as they live, each by the lock of a file."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".lock"


@dataclass(frozen=True, slots=True)
class Claim:
    """A number of a folder that no other process holds.

    The kernel frees it when the process ends, in whatever way, and a later one gets it again: what
    is named after it neither collides nor piles up, as it would with process ids.

    Args:
        number: From 0 on.
        descriptor: Of the locked file.
    """

    number: int
    descriptor: int

    def free(self) -> None:
        """Let others have the number."""
        os.close(self.descriptor)


def claim(folder: Path) -> Claim:
    """Take the lowest number in a folder that no process holds.

    Raises:
        OSError: No file can be opened there, or its file system knows no locks.
    """
    number = 0
    while not (taken := _try(folder / f"{number}{SUFFIX}", number)):
        number += 1
    return taken


def unheld(folder: Path) -> list[Claim]:
    """Take all numbers of a folder that were held once and are no more; who calls frees them.

    Raises:
        OSError: As for `claim`.
    """
    taken: list[Claim] = []
    try:
        files = folder.glob(f"*{SUFFIX}")
        taken.extend(one for file in files if (one := _try(file, int(file.stem))))
    except BaseException:
        for one in taken:
            one.free()
        raise
    return taken


def is_abandoned(folder: Path) -> bool:
    """Whether numbers were held in a folder, and none is any more.

    Raises:
        OSError: As for `claim`.
    """
    free = unheld(folder)
    for one in free:
        one.free()
    return 0 < len(free) == len(list(folder.glob(f"*{SUFFIX}")))


def _try(path: Path, number: int) -> Claim | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return Claim(number, descriptor)
