"""Claims: a change of 1 % of the photos costs little beside the training, and so does the training.

Run: `python benchmarks/retraining.py FOLDER`, where FOLDER is the public set "Fashion Product
Images (Small)". Of 8,000 photos one in a hundred comes later. As in the workflow `retrain`, the
change is taken up in a fresh clone that has what `.cache` held and a DVC remote on this disk: once
by a training from the start, once by one that goes on from the champion. Both are then compared on
the same test photos.
"""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml
from measure import clone, run, where

LIMIT = "8000"
LATER = 100
"""One image in so many comes later."""
STAGES = ("validate", "prepare", "pretrain", "tune", "train", "export", "evaluate", "register")
TRAINING = ("tune", "train")
COMMITTER = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Benchmark"), ("EMAIL", "benchmark@example.org"))
}


def main() -> None:
    """Print the seconds of every step, then the shares and the comparison."""
    source = str(Path(sys.argv[1]).resolve())
    print(where())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        team = clone(folder)
        os.environ |= COMMITTER | {"MLFLOW_TRACKING_URI": f"sqlite:///{team}/mlflow.db"}
        held_back = _import(team, source, folder)
        first = _repro(team)
        _print("first run", first)
        _commit(team, "chore: the first model")
        run(["vitrine", "promote", "challenger"], team)
        _restore(team, held_back)
        _commit(team, "data: one in a hundred more")
        whole = _retrain(team, folder / "whole", "none")
        _print("again from the start", whole)
        continued = _retrain(team, folder / "continued", "champion")
        _print("going on from the champion", continued)
        _compare(first, whole, continued, folder / "continued")


def _import(team: Path, source: str, folder: Path) -> Path:
    """Import the photos, set one in a hundred aside, and return where these wait."""
    labels = ["--style", "usage", "--category", "subCategory", "--limit", LIMIT, "--replace"]
    run(["vitrine", "import", "fashion-product-images", source, *labels], team)
    remote = str(folder / "remote")
    run(["dvc", "remote", "add", "--quiet", "--default", "--force", "team", remote], team)
    held_back = folder / "later"
    shutil.copytree(team / "data", held_back)
    manifest = team / "data/manifest.csv"
    with manifest.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    _write_rows(manifest, [header, *(row for n, row in enumerate(rows) if n % LATER)])
    for row in rows[::LATER]:
        (team / "data" / row[0]).unlink()
    run(["dvc", "add", "--quiet", "data"], team)
    _commit(team, "data: the first photos")
    return held_back


def _write_rows(path: Path, rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _restore(team: Path, held_back: Path) -> None:
    shutil.rmtree(team / "data")
    shutil.copytree(held_back, team / "data")
    run(["dvc", "add", "--quiet", "data"], team)


def _commit(repository: Path, message: str) -> None:
    run(["dvc", "push", "--quiet"], repository)
    run(["git", "add", "--all"], repository)
    run(["git", "commit", "--quiet", "--message", message], repository)


def _repro(repository: Path) -> dict[str, float]:
    """Run the stages one after the other, so that each has its time."""
    command = ["dvc", "repro", "--pull", "--allow-missing"]
    return {stage: run([*command, stage], repository).seconds for stage in STAGES}


def _retrain(team: Path, place: Path, weights: str) -> dict[str, float]:
    """Do in a fresh clone what the workflow does; return the seconds of every step."""
    subprocess.run(["git", "clone", "--quiet", str(team), str(place)], check=True)
    shutil.copytree(team / ".cache", place / ".cache")
    params = place / "params.yaml"
    tree = yaml.safe_load(params.read_text(encoding="utf-8"))
    tree["train"]["weights"] = weights
    params.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    steps = {
        name: run([*command], place).seconds
        for name, command in {
            "diff": ["vitrine", "diff", "HEAD~1", "HEAD"],
            "affected": ["vitrine", "affected"],
        }.items()
    }
    steps |= _repro(place)
    steps["push"] = run(["dvc", "push", "--quiet", "--run-cache"], place).seconds
    steps["comment"] = run(["vitrine", "comment", "--base", "HEAD"], place).seconds
    return steps


def _print(name: str, steps: dict[str, float]) -> None:
    print(f"{name}: {', '.join(f'{step} {seconds:.1f} s' for step, seconds in steps.items())}")
    sys.stdout.flush()


def _compare(
    first: dict[str, float], whole: dict[str, float], continued: dict[str, float], place: Path
) -> None:
    total = sum(first.values())
    beside = sum(seconds for step, seconds in whole.items() if step not in TRAINING)
    print(f"all but tune and train: {beside:.0f} s, {beside / total:.1%} of the first run")
    training = [sum(steps[stage] for stage in TRAINING) for steps in (whole, continued)]
    print(f"tune and train, from the champion / from the start: {training[1] / training[0]:.1%}")
    print(f"train alone: {continued['train'] / whole['train']:.1%}")
    print(f"the whole workflow: {sum(continued.values()) / sum(whole.values()):.1%}")
    print(run(["vitrine", "compare", "3", "2"], place).output)


if __name__ == "__main__":
    main()
