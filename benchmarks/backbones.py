"""Measures what `small_resnet` and other networks for small images learn in the same time.

Run: `python benchmarks/backbones.py FOLDER`, where FOLDER is the public set "Fashion Product Images
(Small)"; style = usage, category = articleType, classes of fewer than 10 images left out. Each
network gets as many epochs as end in `--minutes`, with the recipe of params.yaml; figures are of
the best epoch on val, which is made larger here. `--only NAME...` takes some of them.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from contestants.backbones import BACKBONES, Backbone
from measure import clone, where
from trainings import SLACK, import_photos, mean, prepare, table

from vitrine.core.params import Params, TrainParams, override
from vitrine.models import small_resnet
from vitrine.training.fit import Fitted, fit
from vitrine.training.history import best
from vitrine.training.trainer import Job

MEASURES = [
    f"val_{head}_{what}" for head in ("style", "category") for what in ("accuracy", "macro_f1")
]
OURS = "small_resnet"


def main() -> None:
    """Print a line of Markdown for each network."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seeds", nargs="+", type=int, default=[17, 18])
    parser.add_argument("--only", nargs="+", default=[OURS, *BACKBONES])
    options = parser.parse_args()
    print(where())
    print(table(["", "parameters", "images/s", "epochs", *MEASURES], []), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        repository = clone(Path(folder))
        import_photos(repository, options.folder)
        prepare(repository, {"prepare.val_share": 0.3, "prepare.test_share": 0.05})
        os.chdir(repository)
        for name in options.only:
            with _as_small_resnet(BACKBONES.get(name)):
                _line(name, options.minutes, options.seeds)


@contextmanager
def _as_small_resnet(backbone: Backbone | None) -> Iterator[None]:
    with patch("vitrine.models.network.small_resnet", backbone or small_resnet.small_resnet):
        yield


def _line(name: str, minutes: float, seeds: list[int]) -> None:
    train = override(Params.load().train, {"min_steps": 0, "patience": 1000})
    times = []
    for epochs in (1, 3):
        begun = time.perf_counter()
        _fit(train, epochs, seeds[0])
        times.append(time.perf_counter() - begun)
    each = (times[1] - times[0]) / 2
    epochs = max(1, int((60 * SLACK * minutes - (times[0] - each)) / each))
    made = [_fit(train, epochs, seed) for seed in seeds]
    parameters = f"{made[0].model.count_params() / 1e6:.2f} M"
    speeds = [epoch.images_per_second for fitted in made for epoch in fitted.history]
    speed = f"{sorted(speeds)[len(speeds) // 2]:.0f}"
    figures = [mean([best(f.history).metrics[measure] for f in made]) for measure in MEASURES]
    print(f"| {' | '.join([name, parameters, speed, str(epochs), *figures])} |", flush=True)


def _fit(train: TrainParams, epochs: int, seed: int) -> Fitted:
    params = override(train, {"epochs": epochs, "seed": seed})
    return fit(Job(params, Path("artifacts/prepare")), lambda _: None)


if __name__ == "__main__":
    main()
