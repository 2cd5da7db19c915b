"""Claims on 8,000 real catalogue photos: time of each step, quality against `simple_cnn`.

Run: `python benchmarks/photos.py FOLDER`, where FOLDER is the public set "Fashion Product Images
(Small)" (styles.csv and images/). It works in a temporary clone of the committed state.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import clone, run, where

LIMIT = "8000"


def main() -> None:
    """Print a table of steps with seconds and peak memory, then the metrics of both networks."""
    source = str(Path(sys.argv[1]).resolve())
    print(where())
    with tempfile.TemporaryDirectory() as folder:
        repository = clone(Path(folder))
        labels = ["--style", "usage", "--category", "subCategory", "--limit", LIMIT, "--replace"]
        importing = ["vitrine", "import", "fashion-product-images", source, *labels]
        steps = {
            "import": importing,
            "dvc add": ["dvc", "add", "--quiet", "data"],
            "validate": ["vitrine", "validate"],
            "prepare": ["vitrine", "prepare"],
            "dvc repro (all stages)": ["dvc", "repro"],
            "dvc repro (nothing to do)": ["dvc", "repro"],
        }
        for name, command in steps.items():
            measured = run(command, repository)
            print(f"{name}: {measured.seconds:.1f} s, peak {measured.peak_mib:.0f} MiB", flush=True)
        _print_metrics("default network", repository)
        # The rate of the default network is too high for this one.
        rate = "train.learning_rate=0.001"
        settings = ["-S", "train.backbone=simple_cnn", "-S", "tune.trials=0", "-S", rate]
        measured = run(["dvc", "exp", "run", *settings], repository)
        print(f"dvc exp run with simple_cnn: {measured.seconds:.1f} s")
        _print_metrics("simple_cnn", repository)


def _print_metrics(name: str, repository: Path) -> None:
    metrics: dict[str, Any] = json.loads(
        (repository / "reports/evaluate/metrics.json").read_text(encoding="utf-8")
    )
    for head in ("style", "category"):
        values = metrics[head]
        print(
            f"{name}, {head}: accuracy {values['accuracy']:.4f}, macro F1 {values['macro_f1']:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
