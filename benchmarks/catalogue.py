"""Claims on 8,000 photos and twenty minutes: better than `simple_cnn`, better than no network.

Run: `python benchmarks/catalogue.py FOLDER`, where FOLDER is the public set "Fashion Product Images
(Small)"; style = usage, category = articleType, classes of fewer than 10 images left out. Each
network gets as many epochs as end in `--minutes`; three seeds, the same split. Without a network:
histograms of gradients and colours and a linear model, chosen on val.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from features import baseline
from measure import clone, where
from trainings import (
    BUDGET,
    Pace,
    Settings,
    Training,
    import_photos,
    judge,
    mean,
    prepare,
    table,
    train,
)

NETWORKS: dict[str, Settings] = {
    "default": {},
    "`simple_cnn`": {"train.backbone": "simple_cnn", "train.learning_rate": 0.001},
}
"""What each has instead of the values of params.yaml; the rate there is too high for the second."""
HEADS = ("style", "category")
MEASURES = ("accuracy", "macro_f1")
COLUMNS = [
    "",
    "epochs",
    "minutes",
    *(f"{h}, {m.replace('_', ' ')}" for h in HEADS for m in MEASURES),
]


def main() -> None:
    """Print a table of Markdown: the mean over the seeds, and the standard deviation."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seeds", nargs="+", type=int, default=[17, 18, 19])
    parser.add_argument("--limit", type=int, default=8000)
    options = parser.parse_args()
    print(where())
    with tempfile.TemporaryDirectory() as name:
        repository = clone(Path(name))
        import_photos(repository, options.folder, options.limit)
        prepare(repository, {})
        print(table(COLUMNS, []))
        begun = time.perf_counter()
        heads = {head: baseline(repository / "artifacts/prepare", head) for head in HEADS}
        minutes = (time.perf_counter() - begun) / 60
        _print("gradients and colours, linear", [Training(0, minutes, heads)])
        for network, settings in NETWORKS.items():
            _print(network, _trainings(repository, settings, options.minutes, options.seeds))


def _trainings(
    repository: Path, settings: Settings, minutes: float, seeds: Sequence[int]
) -> list[Training]:
    epochs = Pace(repository, settings).epochs(minutes)
    made = []
    for seed in seeds:
        own = {**settings, **BUDGET, "train.epochs": epochs, "train.seed": seed}
        made.append(judge(repository, train(repository, own)))
    return made


def _print(name: str, made: Sequence[Training]) -> None:
    figures = [mean([t.heads[head][one] for t in made]) for head in HEADS for one in MEASURES]
    epochs = str(made[0].epochs or "")
    minutes = ", ".join(f"{training.minutes:.1f}" for training in made)
    print(f"| {' | '.join([name, epochs, minutes, *figures])} |", flush=True)


if __name__ == "__main__":
    main()
