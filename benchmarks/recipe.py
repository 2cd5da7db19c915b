"""Claim: each part of the recipe of `train` earns its place, or is off.

Run: `python benchmarks/recipe.py FOLDER`, where FOLDER is the public set "Fashion Product Images
(Small)"; style = usage, category = articleType, classes of fewer than 10 images left out. Each row
changes one part of the train section of params.yaml and trains anew, without a search; figures are
of the best epoch on val, which is made larger here (30 % of 8,000 photos) so that less is chance.
`--only NAME...` takes some rows, `--seeds N...` other seeds, `--set KEY=VALUE...` changes all rows.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from measure import clone, run, where

LABELS = ["--style", "usage", "--category", "articleType"]
MEASURES = ("val_style_accuracy", "val_style_macro_f1", "val_category_accuracy")
MEASURES = (*MEASURES, "val_category_macro_f1")
PARTS: dict[str, dict[str, Any]] = {
    "as in params.yaml": {},
    "no warm-up": {"warmup_share": 0.0},
    "adam": {"optimizer": "adam"},
    "weight_decay 0": {"weight_decay": 0.0},
    "weight_decay 0.1": {"weight_decay": 0.1},
    "dropout 0": {"dropout": 0.0},
    "stochastic_depth 0": {"stochastic_depth": 0.0},
    "stochastic_depth 0.1": {"stochastic_depth": 0.1},
    "label_smoothing 0": {"label_smoothing": 0.0},
    "label_smoothing 0.1": {"label_smoothing": 0.1},
    "logit_adjustment 0": {"logit_adjustment": 0.0},
    "logit_adjustment 0.5": {"logit_adjustment": 0.5},
    "logit_adjustment 1": {"logit_adjustment": 1.0},
    "ema_decay 0": {"ema_decay": 0.0},
    "ema_decay 0.99": {"ema_decay": 0.99},
    "ema_decay 0.998": {"ema_decay": 0.998},
    "no geometry": {
        "augment.flip": False,
        "augment.rotation": 0.0,
        "augment.zoom": 0.0,
        "augment.shift": 0.0,
    },
    "color 0": {"augment.color": 0.0},
    "randaugment 0": {"augment.randaugment": 0.0},
    "randaugment 0.2": {"augment.randaugment": 0.2},
    "erasing 0": {"augment.erasing": 0.0},
    "erasing 0.25": {"augment.erasing": 0.25},
    "mixup 0": {"augment.mixup": 0.0},
    "mixup 0.2": {"augment.mixup": 0.2},
    "cutmix 0": {"augment.cutmix": 0.0},
    "cutmix 1": {"augment.cutmix": 1.0},
}
"""By name, what a row changes in the train section. Rows that change nothing are left out."""


def main() -> None:
    """Print one line of Markdown a part, as soon as its trainings are done."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", default=list(PARTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[17, 18, 19])
    parser.add_argument("--set", nargs="+", default=[], dest="settings")
    options = parser.parse_args()
    print(where())
    with tempfile.TemporaryDirectory() as name:
        repository = clone(Path(name))
        _prepare(repository, options.folder.resolve())
        pairs = (setting.split("=") for setting in options.settings)
        given = {key: yaml.safe_load(value) for key, value in pairs}
        print("| | " + " | ".join(MEASURES) + " | seconds |\n|" + " --- |" * (len(MEASURES) + 2))
        for part in options.only:
            values = given | PARTS[part]
            if part == options.only[0] or _changes(repository, values):
                _row(part, [_train(repository, {**values, "seed": s}) for s in options.seeds])


def _prepare(repository: Path, folder: Path) -> None:
    importing = ["vitrine", "import", "fashion-product-images", str(folder), *LABELS]
    run([*importing, "--limit", "8000", "--replace"], repository)
    params = _params(repository)
    params["prepare"] |= {"val_share": 0.3, "test_share": 0.05}
    params["tune"] |= {"trials": 0}
    _write(repository, params)
    for stage in ("validate", "prepare", "tune"):
        run(["vitrine", stage], repository)


def _params(repository: Path) -> dict[str, Any]:
    params: dict[str, Any] = yaml.safe_load((repository / "params.yaml").read_text())
    return params


def _write(repository: Path, params: Mapping[str, Any]) -> None:
    text = yaml.safe_dump(dict(params), sort_keys=False)
    (repository / "params.yaml").write_text(text, encoding="utf-8")


def _changed(train: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    changed = json.loads(json.dumps(train))
    for key, value in values.items():
        *path, last = key.split(".")
        section = changed
        for name in path:
            section = section[name]
        section[last] = value
    return dict(changed)


def _changes(repository: Path, values: Mapping[str, Any]) -> bool:
    train = _params(repository)["train"]
    return _changed(train, values) != train


def _train(repository: Path, values: Mapping[str, Any]) -> dict[str, float]:
    """Train with changed values; params.yaml is as before afterwards."""
    params = _params(repository)
    _write(repository, {**params, "train": _changed(params["train"], values)})
    try:
        seconds = run(["vitrine", "train"], repository).seconds
    finally:
        _write(repository, params)
    metrics = json.loads((repository / "reports/train/metrics.json").read_text(encoding="utf-8"))
    return {**metrics, "seconds": seconds}


def _row(part: str, results: Sequence[Mapping[str, float]]) -> None:
    cells = []
    for measure in MEASURES:
        values = [result[measure] for result in results]
        spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
        cells.append(f"{statistics.mean(values):.4f}{spread}")
    seconds = statistics.mean(result["seconds"] for result in results)
    print(f"| {part} | {' | '.join(cells)} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
