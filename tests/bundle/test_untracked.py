"""Nothing that we import reports to its vendor."""

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import sys
import vitrine.bundle.runtime
print("openvino" in sys.modules, [name for name in sys.modules if "openvino_telemetry" in name])
"""


def test_openvino_comes_without_its_reports(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True []\n"
    assert not (tmp_path / "intel").exists()
