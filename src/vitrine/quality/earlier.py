"""Which earlier version of the data a validation compares with: `data.dvc` in git's history.

Every commit's `data.dvc` names one version of the data by the digest of its list of files. git is
asked by its command, never over the network.
"""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from vitrine.core.digests import data_digest
from vitrine.core.errors import DataError
from vitrine.core.layout import DATA_POINTER

PREVIOUS = "previous"
NONE = "none"
_SECONDS = 60
# No question on the terminal, no lock that another git would trip over, messages in English.
_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class Earlier:
    """A version of the data that a commit names.

    Attributes:
        commit: The commit's full hash; of several that name the version, one that brought it.
        date: Of the commit, `2026-09-30`.
        digest: Of the version's list of files, as `data.dvc` has it: `<md5>.dir`.
        hash_name: How DVC made its digests: `md5`, or `md5-dos2unix` before DVC 3.
        remote: The remote that `data.dvc` names for its files; None = the default one.
    """

    commit: str
    date: str
    digest: str
    hash_name: str = "md5"
    remote: str | None = None

    def __str__(self) -> str:
        return f"commit {self.commit[:7]} of {self.date}"


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Nothing is compared.

    Attributes:
        reason: Why, in words: half a sentence without a full stop.
    """

    reason: str


def find_earlier(compare_with: str, pointer: Path = DATA_POINTER) -> Earlier | NotCompared:
    """Find the version of the data to compare with.

    Args:
        compare_with: `none`; `previous`, the newest commit reachable from HEAD whose data.dvc
            names another version than the data.dvc in the working tree does; or a git revision.
        pointer: The data.dvc in the working tree.

    Returns:
        The version, or the reason why there is none.

    Raises:
        DataError: git does not know the revision, or it names no version of the data.
    """
    if compare_with == NONE:
        return NotCompared("compare_with is none in params.yaml")
    try:
        if obstacle := _obstacle(pointer):
            return NotCompared(obstacle)
        if compare_with == PREVIOUS:
            return _previous(pointer)
        return _named(compare_with, pointer)
    except FileNotFoundError:
        return NotCompared("git is not installed")
    except subprocess.TimeoutExpired:
        return NotCompared(f"git did not answer within {_SECONDS} seconds")


def version_at(commit: str, pointer: Path = DATA_POINTER) -> Earlier | None:
    """Return the version of the data that a commit names; None when git does not know of one."""
    try:
        found = git(pointer.parent, "log", "-1", "--format=%cs", "--end-of-options", commit, "--")
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return None if found.returncode else _read(pointer, commit, found.stdout.strip())


def _obstacle(pointer: Path) -> str:
    """Return why there is no history to look into; empty when there is one."""
    try:
        data_digest(pointer)
    except DataError as error:
        return str(error)
    inside = git(pointer.parent, "rev-parse", "--git-dir")
    if inside.returncode:
        first, *_ = inside.stderr.strip().splitlines() or ["no git repository"]
        return f"git has no history here ({first.removeprefix('fatal: ')})"
    if git(pointer.parent, "rev-parse", "--verify", "--quiet", "HEAD").returncode:
        return "the git repository has no commit yet"
    return ""


def _previous(pointer: Path) -> Earlier | NotCompared:
    current = data_digest(pointer)
    for commit, date in _commits(pointer):
        earlier = _read(pointer, commit, date)
        if earlier is not None and earlier.digest != current:
            return earlier
    if _is_shallow(pointer.parent):
        return NotCompared(
            f"this shallow clone holds no commit with another {pointer.name}; "
            "fetch the others with `git fetch --unshallow`"
        )
    return NotCompared(f"no commit names another version of the data than {pointer} does")


def _named(revision: str, pointer: Path) -> Earlier | NotCompared:
    # A leading dash would be read as an option.
    asked = ("log", "-1", "--format=%H %cs", "--end-of-options", f"{revision}^{{commit}}")
    found = git(pointer.parent, *asked, "--")
    if found.returncode or not found.stdout.strip():
        shallow = ", or fetch it: this is a shallow clone" if _is_shallow(pointer.parent) else ""
        raise DataError(
            f"compare_with must be previous, none or a git revision, but git knows no "
            f"{revision!r}; name a commit, branch or tag{shallow}"
        )
    commit, date = found.stdout.split()
    earlier = _read(pointer, commit, date)
    if earlier is None:
        raise DataError(
            f"compare_with names {revision!r}, but its {pointer.name} names no version of the "
            f"data; choose one of `git log -- {pointer.name}`"
        )
    if earlier.digest == data_digest(pointer):
        return NotCompared(f"{revision} names the same version of the data as {pointer} does")
    return earlier


def _commits(pointer: Path) -> Iterator[tuple[str, str]]:
    """Yield the commits that changed the pointer, the newest first, with their dates."""
    listed = git(pointer.parent, "log", "--format=%H %cs", "HEAD", "--", pointer.name)
    for line in listed.stdout.splitlines():
        commit, date = line.split()
        yield commit, date


def _read(pointer: Path, commit: str, date: str) -> Earlier | None:
    """Return the version that a commit's pointer names; None when it names none."""
    shown = git(pointer.parent, "show", f"{commit}:./{pointer.name}")
    if shown.returncode:
        return None
    try:
        out = yaml.safe_load(shown.stdout)["outs"][0]
        digest = str(out["md5"])
    except (KeyError, IndexError, TypeError, yaml.YAMLError):
        return None
    if not digest.endswith(".dir"):
        return None
    return Earlier(commit, date, digest, out.get("hash", "md5-dos2unix"), out.get("remote"))


def _is_shallow(folder: Path) -> bool:
    return git(folder, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder, without ever waiting for someone to type; it may have failed.

    Raises:
        FileNotFoundError: git is not installed.
        subprocess.TimeoutExpired: It did not answer.
    """
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **_ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_SECONDS,
        check=False,
    )
