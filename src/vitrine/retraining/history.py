"""What files were when the pipeline last ran, from git's history.

dvc.lock has the MD5 of each dependency. A text out of the history counts as the earlier one only
where it has that MD5, so it does not matter which commit it is found in.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.core.digests import dvc_digest
from vitrine.quality.earlier import git

LOCK = "dvc.lock"
_COMMITS = 100


@dataclass(frozen=True, slots=True)
class EarlierFiles:
    """A file or the files of a folder as a commit has them.

    Attributes:
        tree: The commit as a file system.
        path: Of the file or folder in it.
        digests: The MD5 of each file by its name in the folder; a file itself has the name "".
    """

    tree: Any
    path: str
    digests: dict[str, str]

    def read(self, name: str) -> bytes:
        """Return the bytes of one of the files."""
        return bytes(self.tree.cat_file(f"{self.path}/{name}".rstrip("/")))


class History:
    """The commits that may have what dvc.lock was made with.

    Args:
        repository: The `dvc.repo.Repo` of the working directory.
    """

    def __init__(self, repository: Any) -> None:
        self._repository = repository
        # None where DVC was told that there is no git.
        self._root = repository.scm.root_dir
        newest = _lines("log", "-1", "--format=%H", "--", LOCK)
        self._recorded = newest[0] if newest else None

    @property
    def baseline(self) -> str | None:
        """The commit that brought dvc.lock as it is; None where it is not committed so."""
        return None if _lines("status", "--porcelain", "--", LOCK) else self._recorded

    @property
    def obstacle(self) -> str | None:
        """Why git has no history to look into; None where it has, or DVC is used without git."""
        if self._root is None:
            return None
        try:
            asked = git(Path(), "rev-parse", "--verify", "HEAD")
        except (FileNotFoundError, subprocess.TimeoutExpired) as error:
            return f"git cannot be asked: {error}"
        return f"git says: {' '.join(asked.stderr.split())}" if asked.returncode else None

    def commits(self, path: str) -> Iterator[str]:
        """Yield the commit of dvc.lock, then those that changed a path, the newest first."""
        if self._recorded:
            yield self._recorded
        yield from _lines("log", f"-{_COMMITS}", "--format=%H", "HEAD", "--", path)

    def find(self, path: Path, digest: str) -> EarlierFiles | None:
        """Return a file or folder as it was when it had this digest of DVC's.

        Args:
            path: Of the file or folder, absolute.
            digest: An MD5; of a folder it is that of its list of files, and `.dir`.

        Returns:
            What a commit has; None where none of the commits that changed it has it so.
        """
        if self._root is None or not path.is_relative_to(self._root):
            return None
        root = Path(self._root)
        inside = path.relative_to(root).as_posix()
        for commit in self.commits(str(path)):
            earlier = self._at(commit, inside, root)
            if _digest(earlier.digests) == digest:
                return earlier
        return None

    def _at(self, commit: str, inside: str, root: Path) -> EarlierFiles:
        tree = self._repository.scm.get_fs(commit)
        ignored = self._repository.dvcignore.is_ignored_file
        found = {
            file[len(inside) + 1 :]: dvc_digest(tree.cat_file(file))
            for file in tree.find(inside)
            if not ignored(str(root / file))
        }
        return EarlierFiles(tree, inside, found)


def _digest(digests: dict[str, str]) -> str:
    """Return what DVC calls a file, or a folder whose files have these MD5s."""
    if "" in digests:
        return digests[""]
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    tree = Tree()  # type: ignore[no-untyped-call]
    for name, digest in digests.items():
        tree.add(tuple(name.split("/")), None, HashInfo("md5", digest))
    return f"{dvc_digest(tree.as_bytes())}.dir"


def is_shallow() -> bool:
    """Return whether git has only the newest commits here."""
    return _lines("rev-parse", "--is-shallow-repository") == ["true"]


def _lines(*arguments: str) -> list[str]:
    """Return what git answers; nothing without git or outside a repository."""
    try:
        return git(Path(), *arguments).stdout.splitlines()
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return []
