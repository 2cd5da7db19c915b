"""What the actions of GitHub do that workflows use, done on this machine's disk."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from workflows.machine import Machine

COMMIT = re.compile(r"[0-9a-f]{40}")


class ActionFailed(Exception):
    """An action could not do what it was asked to."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run of a workflow has what outlives its machines.

    Attributes:
        remote: The bare repository that the workflow belongs to.
        sha: The commit that the event names.
        caches: The folder of the repository's caches.
        artifacts: The folder of the run's artefacts.
    """

    remote: Path
    sha: str
    caches: Path
    artifacts: Path


@dataclass(frozen=True, slots=True)
class Call:
    """One use of an action: what stands under `with`, and where it runs."""

    inputs: Mapping[str, str]
    machine: Machine
    place: Place


Action = Callable[[Call], Mapping[str, str]]
"""Does what an action does, and returns its outputs."""


def checkout(call: Call) -> Mapping[str, str]:
    """Fetch the repository as deep as is asked for, and check a commit or a branch out."""
    _only(call, "ref", "fetch-depth", "token", "persist-credentials")
    ref = call.inputs.get("ref") or call.place.sha
    depth = call.inputs.get("fetch-depth", "1")
    _git(call, "init", "--quiet", "--initial-branch", "unborn")
    _git(call, "remote", "add", "origin", call.place.remote.as_uri())
    if depth == "0":
        _git(call, "fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
        if COMMIT.fullmatch(ref):
            # It may be on no branch of this repository: a fork's.
            _git(call, "fetch", "--quiet", "origin", ref)
    else:
        _git(call, "fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", ref)
        ref = "FETCH_HEAD"
    _git(call, "checkout", "--quiet", ref)
    call.machine.equip()
    return {"commit": _git(call, "rev-parse", "HEAD")}


def restore_cache(call: Call) -> Mapping[str, str]:
    """Bring back the paths of a key; else of the newest key that begins as a `restore-keys` does."""
    _only(call, "path", "key", "restore-keys")
    kept = {
        unquote(entry.name[5:]): entry
        for entry in sorted(call.place.caches.glob("*"), reverse=True)
    }
    wanted = [call.inputs["key"], *_lines(call.inputs.get("restore-keys", ""))]
    found = next((key for start in wanted for key in kept if key.startswith(start)), None)
    outputs = {"cache-primary-key": wanted[0], "cache-hit": str(found == wanted[0]).lower()}
    if found is None:
        return outputs
    for number, path in enumerate(_paths(call)):
        if (kept[found] / str(number)).exists():
            _copy(kept[found] / str(number), path)
    return outputs | {"cache-matched-key": found}


def save_cache(call: Call) -> Mapping[str, str]:
    """Keep files and folders under a key, for good: a key that is there stays as it is."""
    _only(call, "path", "key")
    call.place.caches.mkdir(exist_ok=True)
    kept = sorted(call.place.caches.iterdir())
    key = quote(call.inputs["key"], safe="")
    if all(entry.name[5:] != key for entry in kept):
        for number, path in enumerate(_paths(call)):
            if path.exists():
                _copy(path, call.place.caches / f"{len(kept):04d}-{key}" / str(number))
    return {}


def upload_artifact(call: Call) -> Mapping[str, str]:
    """Keep files: a single folder's contents, or several paths below what they have in common."""
    _only(call, "name", "path", "if-no-files-found", "retention-days")
    paths = list(_paths(call))
    above = (
        (paths[0], *paths[0].parents) if len(paths) > 1 or paths[0].is_dir() else paths[0].parents
    )
    root = next(folder for folder in above if all(path.is_relative_to(folder) for path in paths))
    files = [file for path in paths for file in (path, *path.rglob("*")) if file.is_file()]
    shown = [file for file in files if "/." not in f"/{file.relative_to(root)}"]
    target = call.place.artifacts / call.inputs.get("name", "artifact")
    if target.exists():
        raise ActionFailed(f"an artifact with the name {target.name} already exists in this run")
    if not shown and call.inputs.get("if-no-files-found") == "error":
        raise ActionFailed(f"no files were found with the path {call.inputs['path']}")
    for file in shown:
        copy = target / file.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return {}


def download_artifact(call: Call) -> Mapping[str, str]:
    """Put the files of one of the run's artefacts into a folder."""
    _only(call, "name", "path")
    source = call.place.artifacts / call.inputs["name"]
    if not source.is_dir():
        raise ActionFailed(f"unable to download: artifact not found for name: {source.name}")
    shutil.copytree(source, next(_paths(call)), dirs_exist_ok=True)
    return {}


def nothing(call: Call) -> Mapping[str, str]:
    """Do nothing: what the action brings is there."""
    return {}


ACTIONS: Mapping[str, Action] = {
    "actions/cache": nothing,
    "actions/cache/restore": restore_cache,
    "actions/cache/save": save_cache,
    "actions/checkout": checkout,
    "actions/download-artifact": download_artifact,
    "actions/setup-python": nothing,
    "actions/upload-artifact": upload_artifact,
}


def _only(call: Call, *known: str) -> None:
    if unknown := set(call.inputs).difference(known):
        raise ActionFailed(f"inputs that are not acted out: {', '.join(sorted(unknown))}")


def _paths(call: Call) -> Iterator[Path]:
    for line in _lines(call.inputs.get("path", ".")):
        if set(line) & set("*?[!"):
            raise ActionFailed(f"patterns are not acted out: {line}")
        yield call.machine.workspace / Path(line).expanduser()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _git(call: Call, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=call.machine.workspace,
        env=call.machine.env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ActionFailed(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout.strip()
