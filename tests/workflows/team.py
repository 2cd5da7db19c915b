"""A team as the workflows meet it: a repository, its remotes, MLflow, and people who change data."""

import csv
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient

from clones import Clone, make_clone
from servers import mlflow_server
from vitrine.demo import draw_catalogue
from workflows.runner import REPOSITORY, Event, Forge, Run, Stop, pull_request

RETRAIN = Path(".github/workflows/retrain.yml")
IMAGES = 150
QUICK: dict[str, dict[str, Any]] = {
    "image": {"height": 32, "width": 32},
    "tune": {"trials": 0},
    "train": {"epochs": 2, "min_steps": 0, "batch_size": 32, "backbone": "simple_cnn"},
    "export": {"precisions": ["f32"]},
    "evaluate": {"bootstrap": 10},
    "register": {
        "floors": {},
        "margin": 0.9,
        "max_slice_drop": 1.0,
        "max_calibration_error": 1.0,
        "max_latency_ratio": 100,
    },
}
"""With these a run of the pipeline is mostly the start of its tools, and the gate lets all pass."""
GH = """#!/bin/bash
# Stands for GitHub's program, which needs GitHub: keeps what it was asked for. It knows of no
# comment, issue or pull request.
call=$(mktemp --directory "$GH_CALLS/XXXXXX")
printf '%s\\n' "$GH_REPO" "$@" > "$call/arguments"
asked="$1 $2"
while [ $# -gt 0 ]; do
  if [ "$1" = --body-file ]; then cp "$2" "$call/body"; fi
  shift
done
[ "$asked" != "pr edit" ]
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of GitHub's program.

    Attributes:
        arguments: The repository that it is about, then what it was called with.
        body: What the file given by `--body-file` held.
    """

    arguments: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class Team:
    """A team.

    Attributes:
        clone: Where its members change data and code.
        forge: What GitHub would hold for it.
        address: Of its MLflow server.
        calls: The folder in which the stand-in of `gh` keeps what it was asked for.
    """

    clone: Clone
    forge: Forge
    address: str
    calls: Path

    def begin(self, branch: str) -> None:
        """Start a branch from main, with main's data."""
        self.clone.run("git", "fetch", "--quiet", "origin")
        self.clone.run("git", "checkout", "--quiet", "--force", "-B", branch, "origin/main")
        self.clone.run("dvc", "checkout", "--quiet", "--force", "data.dvc")

    def push(self, branch: str, *, of: str = REPOSITORY, data: bool = True) -> Event:
        """Version the data, push all but perhaps it, and return the pull request's event."""
        self.clone.run("dvc", "add", "--quiet", "data")
        if data:
            self.clone.run("dvc", "push", "--quiet", "data.dvc")
        self.clone.run("git", "commit", "--quiet", "--all", "--message", f"data: {branch}")
        ref = f"refs/heads/{branch}" if of == REPOSITORY else "refs/pull/7/head"
        self.clone.run("git", "push", "--quiet", "--force", "origin", f"HEAD:{ref}")
        return pull_request(self.clone.run("git", "rev-parse", "HEAD").strip(), branch, of=of)

    def retrain(self, event: Event, stop: Stop | None = None) -> tuple[Run, list[Call]]:
        """Run the workflow that the clone has; return what came of it, and the calls of `gh`."""
        run = self.forge.run(self.clone.path / RETRAIN, event, stop)
        calls = [_call(folder) for folder in sorted(self.calls.iterdir(), key=os.path.getmtime)]
        for folder in list(self.calls.iterdir()):
            shutil.rmtree(folder)
        return run, calls

    def versions(self) -> set[str]:
        """Return the numbers of all versions of the team's model."""
        found = MlflowClient(self.address).search_model_versions("name='vitrine'")
        return {str(version.version) for version in found}

    def challenger(self) -> str:
        """Return the number of the version that waits to be promoted."""
        version = MlflowClient(self.address).get_model_version_by_alias("vitrine", "challenger")
        return str(version.version)

    def git(self, *arguments: str) -> str:
        """Ask git about the team's remote."""
        said = subprocess.check_output(["git", "-C", self.forge.remote, *arguments], text=True)
        return said.strip()

    def rows(self) -> list[dict[str, str]]:
        """Return the rows of the manifest."""
        with self._manifest.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def change(self, each: Callable[[dict[str, str]], None]) -> None:
        """Change rows of the manifest in their place."""
        rows = self.rows()
        for row in rows:
            each(row)
        self.write(rows)

    def add(self, images: int) -> None:
        """Add images of other products."""
        drawn = self.clone.path.parent / f"drawn-{images}"
        draw_catalogue(drawn, images=images, size=32, seed=images)
        with (drawn / "manifest.csv").open(encoding="utf-8", newline="") as file:
            new = list(csv.DictReader(file))
        for row in new:
            name = row["image"].replace("images/", f"images/new-{images}-")
            shutil.copyfile(drawn / row["image"], self.clone.path / "data" / name)
            row |= {"image": name, "product": f"new-{images}-{row['product']}"}
        self.write([*self.rows(), *new])

    def repeat(self, images: int) -> None:
        """Add copies of images, as further views of their products."""
        new = [dict(row) for row in self.rows()[:images]]
        for row in new:
            name = row["image"].replace("images/", "images/again-")
            shutil.copyfile(
                self.clone.path / "data" / row["image"], self.clone.path / "data" / name
            )
            row["image"] = name
        self.write([*self.rows(), *new])

    def write(self, rows: list[dict[str, str]]) -> None:
        """Write the manifest."""
        with self._manifest.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    @property
    def _manifest(self) -> Path:
        return self.clone.path / "data/manifest.csv"


@contextmanager
def team(folder: Path) -> Iterator[Team]:
    """Set a team up whose model is in production: trained, pushed, registered and promoted.

    Its repository begins with the committed state, and has a catalogue of `IMAGES` images.
    """
    clone = make_clone(folder)
    remote, calls, machines = (folder / name for name in ("remote.git", "calls", "machines"))
    for new in (calls, machines, folder / "server", folder / "tools"):
        new.mkdir()
    (folder / "tools/gh").write_text(GH, encoding="utf-8")
    (folder / "tools/gh").chmod(0o755)
    _begin_repository(clone, remote)
    with mlflow_server(folder / "server") as server:
        clone.env["MLFLOW_TRACKING_URI"] = server.address
        _train_the_first_model(clone, folder / "storage")
        env = {key: value for key, value in clone.env.items() if key != "MLFLOW_TRACKING_URI"}
        env |= {"PATH": f"{folder / 'tools'}{os.pathsep}{env['PATH']}", "GH_CALLS": str(calls)}
        forge = Forge(machines, remote, env, variables={"MLFLOW_TRACKING_URI": server.address})
        yield Team(clone, forge, server.address, calls)


def _begin_repository(clone: Clone, remote: Path) -> None:
    # A history of its own: that of this repository may be shallow, and has no lock.
    shutil.rmtree(clone.path / ".git")
    shutil.rmtree(clone.path / "dvcstore")
    clone.run("git", "init", "--quiet", "--initial-branch", "main")
    clone.run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(remote))
    clone.run("git", "remote", "add", "origin", str(remote))


def _train_the_first_model(clone: Clone, storage: Path) -> None:
    clone.run("dvc", "remote", "add", "--quiet", "--default", "--force", "team", str(storage))
    clone.run("vitrine", "demo", "--images", str(IMAGES), "--size", "32", "--replace")
    clone.run("dvc", "add", "--quiet", "data")
    clone.set_params(QUICK)
    clone.set_params({"evaluate": _without_images(clone, "behaviour", "attack")})
    clone.run("git", "add", "--all")
    clone.run("git", "commit", "--quiet", "--message", "data: a small catalogue")
    clone.run("dvc", "repro")
    clone.run("dvc", "push", "--quiet", "--run-cache")
    clone.run("git", "add", "--all")
    clone.run("git", "commit", "--quiet", "--message", "model: the first one")
    clone.run("git", "push", "--quiet", "origin", "main")
    clone.run("vitrine", "promote", "challenger")


def _without_images(clone: Clone, *parts: str) -> dict[str, Any]:
    tree = yaml.safe_load((clone.path / "params.yaml").read_text(encoding="utf-8"))
    return {part: {**tree["evaluate"][part], "images": 0} for part in parts}


def _call(folder: Path) -> Call:
    body = folder / "body"
    return Call(
        tuple((folder / "arguments").read_text(encoding="utf-8").splitlines()),
        body.read_text(encoding="utf-8") if body.exists() else "",
    )
