"""Whether a data folder can be brought back after it was replaced."""

import json
import subprocess
import sys
from pathlib import Path


def is_versioned(root: Path) -> bool:
    """Say whether DVC holds exactly what a folder contains, so that `dvc checkout` brings it back.

    Args:
        root: The folder; its pointer is the file `<folder>.dvc` beside it.
    """
    pointer = root.with_name(f"{root.name}.dvc")
    if not pointer.is_file():
        return False
    command = [sys.executable, "-m", "dvc", "status", "--json", pointer.name]
    status = subprocess.run(command, cwd=root.parent, capture_output=True, check=False)
    try:
        return status.returncode == 0 and json.loads(status.stdout) == {}
    except json.JSONDecodeError:
        return False
