"""The content of an earlier version of the data, from DVC's cache or else from its remote.

DVC's own index would hold about a kilobyte for every file. Here the version's list of files, one
JSON document, is read as a stream, and the manifest and the images by their digests. No lock of
DVC is taken, so this works inside `dvc repro`.
"""

import io
import json
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from threading import Lock
from types import TracebackType
from typing import Any, BinaryIO, Self, TextIO, cast

import yaml
from pydantic import ValidationError

from vitrine.core.errors import DataError
from vitrine.core.layout import DATA_POINTER
from vitrine.core.manifest import Row, parse_manifest
from vitrine.core.taxonomy import Taxonomy
from vitrine.quality.earlier import Earlier

_MANIFEST = "manifest.csv"
_TAXONOMY = "taxonomy.yaml"
_BLOCK = 1 << 20
_IN_MEMORY = 1 << 24


class EarlierData:
    """An earlier version of the data; a context, closed at its end.

    Every method raises `DataError` for what is neither in DVC's cache nor in its remote, or does
    not have the form that it must have. `read` may be called by several threads.

    Args:
        version: Which version, from `find_earlier`.
        pointer: The data.dvc in the working tree; its repository's cache and remote are used.
    """

    def __init__(self, version: Earlier, pointer: Path = DATA_POINTER) -> None:
        self.version = version
        self._root = pointer.parent
        self._known: dict[str, str] = {}
        self._no_remote = ""
        self._opening = Lock()
        self._remote_objects: Any = None

    def __enter__(self) -> Self:
        from dvc.repo import Repo

        try:
            # The working tree's settings, not the old commit's: the remote may have moved since.
            self._repository = Repo(str(self._root))
            self._cache = self._cached(self._repository.cache)
        except Exception as error:  # DVC has no common base for what it raises
            raise DataError(
                f"{self.version}: DVC has no repository here: {_one_line(error)}"
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._repository.close()

    def digests(self) -> Iterator[tuple[str, str]]:
        """Yield every file's path under data/ and the MD5 of its bytes, sorted by path's parts."""
        file = self._open(self.version.digest, "its list of files")
        with io.TextIOWrapper(file, encoding="utf-8") as text:
            try:
                for entry in _entries(text):
                    path, digest = str(entry["relpath"]), str(entry["md5"])
                    if path in (_MANIFEST, _TAXONOMY):
                        self._known[path] = digest
                    yield path, digest
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{self.version}: its list of files is damaged: {error}") from None

    def rows(self) -> Iterator[Row]:
        """Yield the manifest's rows in its order; labels are not looked up."""
        with self._text(_MANIFEST, encoding="utf-8-sig") as file:
            yield from parse_manifest(file, PurePath(f"{_MANIFEST} of {self.version}"))

    def taxonomy(self) -> Taxonomy:
        """Read the taxonomy."""
        with self._text(_TAXONOMY, encoding="utf-8") as file:
            try:
                return Taxonomy.model_validate(yaml.safe_load(file))
            except (UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
                problem = _one_line(error)
                raise DataError(
                    f"{self.version}: its {_TAXONOMY} is not valid: {problem}"
                ) from None

    def read(self, digest: str, most: int = -1) -> bytes:
        """Return the bytes of the file with this MD5, the first `most` of them; -1 = all."""
        with self._open(digest, "the file") as file:
            return file.read(most)

    @contextmanager
    def _text(self, name: str, encoding: str) -> Iterator[TextIO]:
        if name not in self._known:
            deque(self.digests(), maxlen=0)
        if name not in self._known:
            raise DataError(f"{self.version}: it has no {name}")
        file = self._open(self._known[name], f"its {name}")
        with io.TextIOWrapper(file, encoding=encoding, newline="") as text:
            yield text

    def _cached(self, cache: Any) -> Any:
        return cache.local if self.version.hash_name == "md5" else cache.legacy

    def _open(self, digest: str, what: str) -> BinaryIO:
        try:
            return cast(BinaryIO, self._cache.fs.open(self._cache.oid_to_path(digest), "rb"))
        except OSError:
            file = None if self._no_remote else self._fetch(digest)
        if file is not None:
            return file
        raise DataError(
            f"{self.version}: {what} ({digest}) is not in DVC's cache, and "
            f"{self._no_remote or 'not in the remote either'}; where it is, "
            f"`git checkout {self.version.commit[:7]} && dvc push` sends it to the remote"
        )

    def _fetch(self, digest: str) -> BinaryIO | None:
        """Copy a file out of the remote; after the remote's first fault, ask it no more."""
        from dvc.config import NoRemoteError

        copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - returned open
        try:
            remote = self._remote()
            with remote.fs.open(remote.oid_to_path(digest), "rb") as file:
                shutil.copyfileobj(file, copy, _BLOCK)
            copy.seek(0)
            return cast(BinaryIO, copy)
        except FileNotFoundError:
            pass
        except NoRemoteError:
            self._no_remote = "there is no remote"
        except Exception as error:  # every kind of remote raises its own errors
            self._no_remote = f"the remote cannot be used ({_one_line(error)})"
        copy.close()
        return None

    def _remote(self) -> Any:
        with self._opening:
            if self._remote_objects is None:
                self._remote_objects = self._repository.cloud.get_remote_odb(
                    self.version.remote, hash_name=self.version.hash_name
                )
            return self._remote_objects


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _entries(file: TextIO) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON array one by one, reading a block at a time.

    Raises:
        ValueError: The text is no JSON array of objects, or it ends too early.
    """
    decoder = json.JSONDecoder()
    text = ""
    while block := file.read(_BLOCK):
        text += block
        place = 0
        while (start := text.find("{", place)) >= 0:
            try:
                entry, place = decoder.raw_decode(text, start)
            except json.JSONDecodeError:
                break  # the rest of it is in the next block
            yield entry
        text = text[place:]
    if text.strip() not in ("]", "[]"):
        raise ValueError("it ends too early")
