"""Where things lie, relative to the root of the repository, which is the working directory."""

from pathlib import Path

DATA = Path("data")
DATA_POINTER = Path("data.dvc")


def artifacts(stage: str) -> Path:
    """Return the folder of a stage's outputs (cached by DVC, ignored by git)."""
    return Path("artifacts") / stage


def reports(stage: str) -> Path:
    """Return the folder of a stage's metrics, plots and cards."""
    return Path("reports") / stage


def scratch(name: str) -> Path:
    """Return a folder for things that may be deleted at any time, outside DVC and git."""
    return Path(".cache") / name
