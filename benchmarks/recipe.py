"""Measures what each part of the recipe of `train` is worth.

Run: `python benchmarks/recipe.py FOLDER`, where FOLDER is the public set "Fashion Product Images
(Small)"; style = usage, category = articleType, classes of fewer than 10 images left out. Each row
changes one part of the train section of params.yaml and trains anew, without a search; figures are
of the best epoch on val, which is made larger here (30 % of 8,000 photos) so that less is chance.
`--only NAME...` takes some rows, `--seeds N...` other seeds, `--set KEY=VALUE...` changes all rows.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from measure import clone, where
from trainings import Settings, has, import_photos, mean, prepare, table, train

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
        import_photos(repository, options.folder)
        pairs = (setting.split("=") for setting in options.settings)
        given = {f"train.{key}": yaml.safe_load(value) for key, value in pairs}
        prepare(repository, {"prepare.val_share": 0.3, "prepare.test_share": 0.05, **given})
        print(table(["", *MEASURES, "minutes"], []), flush=True)
        for part in options.only:
            settings = {f"train.{key}": value for key, value in PARTS[part].items()}
            if not settings or not has(repository, settings):
                _row(repository, part, settings, options.seeds)


def _row(repository: Path, part: str, settings: Settings, seeds: Sequence[int]) -> None:
    made = []
    for seed in seeds:
        minutes = train(repository, {**settings, "train.seed": seed})
        text = (repository / "reports/train/metrics.json").read_text(encoding="utf-8")
        made.append({**json.loads(text), "minutes": minutes})
    cells = [mean([one[measure] for one in made]) for measure in (*MEASURES, "minutes")]
    print(f"| {' | '.join([part, *cells])} |", flush=True)


if __name__ == "__main__":
    main()
