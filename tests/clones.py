"""A clone of the repository with a tiny catalogue, and the tools run in it as processes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

ROOT = Path(__file__).parents[1]

SMALL = {
    "image": {"height": 32, "width": 32},
    "tune": {"trials": 2, "epochs": 1, "max_images": 64},
    "train": {"epochs": 2, "min_steps": 0, "batch_size": 32},
    "evaluate": {"bootstrap": 20},
    "register": {"floors": {}, "max_calibration_error": 1.0},
}


@dataclass
class Clone:
    """A clone of the repository in which commands run, with a HOME and stores of its own."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, status: int = 0) -> str:
        """Run a command and return what it printed; another exit status fails the test."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == status, f"{' '.join(command)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Work in the clone, with its variables, in this process until the block ends."""
        with chdir(self.path), patch.dict(os.environ, self.env, clear=True):
            yield

    def copied(self, path: Path) -> "Clone":
        """Copy the repository, with links as links, into a new folder, and return the copy."""
        shutil.copytree(self.path, path, symlinks=True)
        return Clone(path, self.env)

    def set_params(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Change keys of params.yaml, section by section."""
        path = self.path / "params.yaml"
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        for section, values in changes.items():
            tree[section].update(values)
        path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")


def environment(folder: Path, repository: Path) -> dict[str, str]:
    """Variables for processes with a HOME and stores of their own, running `repository`'s sources."""
    home = folder / "home"
    home.mkdir()
    env = {
        **os.environ,
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(repository / "src"),
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.org",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.org",
    }
    env.pop("MLFLOW_TRACKING_URI", None)
    return env


def make_clone(folder: Path) -> Clone:
    """Clone the committed state; its own sources come before the installed ones."""
    path = folder / "vitrine"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(path)], check=True)
    return Clone(path, environment(folder, path))
