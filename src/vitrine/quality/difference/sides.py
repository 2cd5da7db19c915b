"""The two sides of a comparison: the version that a commit names, or the data folder as it lies."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, Protocol

from vitrine import imaging
from vitrine.core.digests import data_digest
from vitrine.core.errors import DataError
from vitrine.core.layout import DATA_POINTER, reports
from vitrine.core.manifest import Catalogue, Row, parse_manifest
from vitrine.core.params import ImageParams
from vitrine.core.progress import track
from vitrine.core.taxonomy import Taxonomy
from vitrine.quality.earlier import Earlier, git, version_at
from vitrine.quality.earlier_data import EarlierData

METRICS = reports("validate") / "metrics.json"


class Side(Protocol):
    """What a comparison reads of a version of the data."""

    def digests(self) -> Iterator[tuple[str, str]]:
        """Yield every file's path under data/ and the MD5 of its bytes."""

    def rows(self) -> Iterator[Row]:
        """Yield the manifest's rows; labels are not looked up."""

    def taxonomy(self) -> Taxonomy:
        """Read the taxonomy."""

    def bytes_of(self, image: str, digest: str, limits: ImageParams) -> bytes:
        """Return the bytes of an image, which is named both ways. Raises `DataError`."""

    def validation(self) -> Mapping[str, int]:
        """Return the figures that `vitrine validate` left with this version; may be empty."""


class AtCommit(EarlierData):
    """The version of the data that a commit names; a context.

    Args:
        version: Which, from `resolve`.
        pointer: The data.dvc in the working tree; its repository's cache and remote are used.
    """

    def __init__(self, version: Earlier, pointer: Path = DATA_POINTER) -> None:
        super().__init__(version, pointer)
        self._folder = pointer.parent

    def __str__(self) -> str:
        return str(self.version)

    def bytes_of(self, image: str, digest: str, limits: ImageParams) -> bytes:  # noqa: ARG002
        """Return the bytes of an image from DVC's cache or remote.

        Of one that is too large, a byte more than the limit is enough for decoding to refuse it.
        """
        return self.read(digest, limits.max_bytes + 1)

    def validation(self) -> Mapping[str, int]:
        """Return the figures of `vitrine validate` that the commit holds."""
        shown = _git(self._folder, "show", f"{self.version.commit}:./{METRICS.as_posix()}")
        return {} if shown.returncode else _figures(shown.stdout)


class Folder:
    """The data folder as it lies in the working tree, versioned or not.

    DVC remembers the digests of files that it has seen, so only new ones are read.

    Args:
        root: The folder.
        pointer: The data.dvc that should describe it.

    Raises:
        DataError: There is no such folder.
    """

    def __init__(self, root: Path, pointer: Path = DATA_POINTER) -> None:
        if not root.is_dir():
            raise DataError(
                f"{root}/ is missing: fetch it with `dvc pull {pointer}`, or compare two revisions "
                "with `vitrine diff A B`, which needs no files"
            )
        self._root = root
        self._pointer = pointer
        self._catalogue = Catalogue(root)

    def __str__(self) -> str:
        return f"the folder {self._root}/"

    def pointed(self) -> str | None:
        """Return the digest that data.dvc names for the folder; None without a data.dvc."""
        return data_digest(self._pointer) if self._pointer.exists() else None

    def digests(self) -> Iterator[tuple[str, str]]:
        """Yield every file's path under the folder and the MD5 of its bytes, as DVC sees them."""
        from dvc.exceptions import DvcException
        from dvc.repo import Repo
        from dvc_data.hashfile.hash import hash_file

        try:
            repository = Repo(str(self._pointer.parent))
        except DvcException as error:
            raise DataError(f"DVC has no repository here: {error}") from error
        root = str(self._root.resolve())
        with repository:
            for path in track(repository.dvcignore.find(repository.fs, root), "Looking at files"):
                if not os.path.isfile(path):  # noqa: PTH113 - a Path for every file costs more
                    continue
                try:
                    _, found = hash_file(path, repository.fs, "md5", state=repository.state)
                except OSError as error:
                    raise DataError(f"{path} cannot be read: {error.strerror}") from None
                yield path[len(root) + 1 :], str(found.value)

    def rows(self) -> Iterator[Row]:
        """Yield the manifest's rows; labels are not looked up."""
        path = self._catalogue.manifest_path
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from parse_manifest(file, PurePath(path))
        except FileNotFoundError:
            raise DataError(f"{path} is missing: fetch it with `dvc pull data.dvc`") from None

    def taxonomy(self) -> Taxonomy:
        """Read the taxonomy."""
        return self._catalogue.taxonomy()

    def bytes_of(self, image: str, digest: str, limits: ImageParams) -> bytes:  # noqa: ARG002
        """Return the bytes of an image in the folder."""
        return imaging.read(self._root / image, limits, image)

    def validation(self) -> Mapping[str, int]:
        """Return the figures of the last `vitrine validate` in the working tree."""
        path = self._pointer.parent / METRICS
        return _figures(path.read_text(encoding="utf-8")) if path.exists() else {}


def resolve(revision: str, pointer: Path = DATA_POINTER) -> Earlier:
    """Return the version of the data that a revision names.

    Args:
        revision: A commit, branch, tag or anything else that `git rev-parse` understands.
        pointer: The data.dvc in the working tree; it need not be there.

    Raises:
        DataError: There is no git, it refuses the repository or does not know the revision, or
            the revision names no data.
    """
    version = version_at(commit_of(revision, pointer.parent), pointer)
    if version is None:
        raise DataError(
            f"{revision} has no {pointer.name} that names a version of the data; choose one of "
            f"`git log -- {pointer.name}`"
        )
    return version


def commit_of(revision: str, folder: Path) -> str:
    """Return the full hash of the commit that a revision names.

    Args:
        revision: Anything that `git rev-parse` understands.
        folder: In the repository.

    Raises:
        DataError: There is no git, it refuses the repository or does not know the revision.
    """
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    found = _git(folder, *asked)
    if found.returncode == 0:
        return found.stdout.strip()
    # With --quiet git says nothing of a revision that it does not know.
    if reason := " ".join(found.stderr.split()).removeprefix("fatal: "):
        raise DataError(f"git cannot look up {revision!r}: {reason}")
    raise DataError(
        f"git knows no revision {revision!r} here; name a commit, branch or tag, and in a "
        "shallow clone fetch it first with `git fetch --unshallow`"
    )


def _figures(text: str) -> dict[str, int]:
    """Return the whole numbers of a metrics.json; none where it is damaged."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): value for name, value in found.items() if type(value) is int}


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return git(folder, *arguments)
    except FileNotFoundError:
        raise DataError("git is not installed; the revisions of the data are in its log") from None
    except subprocess.TimeoutExpired as error:
        raise DataError(f"git did not answer within {error.timeout} s; try it again") from None
