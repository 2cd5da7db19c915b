"""Claim: the checks find planted faults, and little else. Precision and recall of each.

Run: `python benchmarks/faults.py [FOLDER]`: `EACH` faults of each kind are planted into the demo
catalogue, or, with FOLDER as in photos.py, into the 8,000 photos; leaks are planted apart, for
`prepare` to find. What the checks find before anything is planted is shown too. Works in a
temporary clone of the committed state.
"""

import csv
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from measure import clone, run, where

from vitrine.demo.faults import FAULTS, plant_faults, score_checks

EACH = {"demo": 10, "photos": 50}
SEED = 1
PHOTOS = ["--style", "usage", "--category", "subCategory", "--limit", "8000"]


def main() -> None:
    """Print a table row a check."""
    print(where())
    name = "photos" if len(sys.argv) > 1 else "demo"
    leaks = [fault for fault in FAULTS if fault.startswith("leaked")]
    others = [fault for fault in FAULTS if fault not in leaks]
    print("| check | found before | planted | found | precision | recall |")
    with tempfile.TemporaryDirectory() as folder:
        repository = clone(Path(folder))
        for stage, faults in (("validate", others), ("prepare", leaks)):
            _fill(repository)
            before = _found(repository, "validate")
            planted = plant_faults(repository / "data", EACH[name], SEED, only=faults)
            after = _found(repository, "validate")
            if stage == "prepare":
                before, after = {}, _found(repository, "prepare")
            for check, score in score_checks(planted, before, after).items():
                if stage == "validate" or check.startswith("leaked"):
                    print(
                        f"| `{check}` | {len(before.get(check, ()))} | {score.planted} "
                        f"| {score.found} | {score.precision:.3f} | {score.recall:.3f} |",
                        flush=True,
                    )


def _fill(repository: Path) -> None:
    importing = ["import", "fashion-product-images", *sys.argv[1:], *PHOTOS]
    command = importing if len(sys.argv) > 1 else ["demo"]
    run(["vitrine", *command, "--replace"], repository)


def _found(repository: Path, stage: str) -> dict[str, set[str]]:
    """Run a stage, which may well fail, and return the images that each check names."""
    program = Path(sys.executable).parent / "vitrine"
    subprocess.run([program, stage], cwd=repository, capture_output=True, check=False)
    found: dict[str, set[str]] = defaultdict(set)
    path = repository / "reports" / stage / "findings.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["check"]].add(row["image"])
    return found


if __name__ == "__main__":
    main()
