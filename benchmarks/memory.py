"""Claim: peak memory of validate, prepare and train is flat, 2,000 to 8,000 images (within 12 %).

Run: `python benchmarks/memory.py FOLDER`, with FOLDER as in photos.py. Training takes two epochs.
"""

import sys
import tempfile
from pathlib import Path

from measure import clone, run, where

SIZES = (2000, 8000)


def main() -> None:
    """Print the peak memory of the stages for both sizes, and the ratios."""
    source = str(Path(sys.argv[1]).resolve())
    print(where())
    peaks: dict[str, list[float]] = {"validate": [], "prepare": [], "train": []}
    with tempfile.TemporaryDirectory() as folder:
        repository = clone(Path(folder))
        params = repository / "params.yaml"
        text = params.read_text(encoding="utf-8").replace("  trials: 3", "  trials: 0")
        text = text.replace("  epochs: 14", "  epochs: 2").replace("min_steps: 400", "min_steps: 0")
        params.write_text(text, encoding="utf-8")
        labels = ["--style", "usage", "--category", "subCategory", "--replace"]
        for size in SIZES:
            command = ["vitrine", "import", "fashion-product-images", source, *labels]
            run([*command, "--limit", str(size)], repository)
            run(["dvc", "add", "--quiet", "data"], repository)
            run(["rm", "-rf", ".cache"], repository)
            peaks["validate"].append(run(["vitrine", "validate"], repository).peak_mib)
            peaks["prepare"].append(run(["vitrine", "prepare"], repository).peak_mib)
            run(["vitrine", "tune"], repository)
            peaks["train"].append(run(["vitrine", "train"], repository).peak_mib)
    for stage, (small, large) in peaks.items():
        print(
            f"{stage}: {small:.0f} MiB at {SIZES[0]}, {large:.0f} MiB at {SIZES[1]} images,"
            f" ratio {large / small:.2f}"
        )


if __name__ == "__main__":
    main()
