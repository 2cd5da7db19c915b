"""Claim: what is learned on catalogue photos helps on real photos of clothes.

Run: `python benchmarks/transfer.py PHOTOS CLOTHING`, where PHOTOS is the public set "Fashion
Product Images (Small)" and CLOTHING a folder of photos with a folder for each category. The
network is trained on 8,000 catalogue photos (style = usage, category = articleType); then, for
three seeds, once from its weights and once from none on the clothing photos, with as many epochs.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import clone, run, where
from trainings import BUDGET, Settings, Training, import_photos, judge, mean, prepare, table, train

MEASURES = ("accuracy", "macro_f1")


def main() -> None:
    """Print a table of Markdown: the mean over the seeds, and the standard deviation."""
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", type=Path)
    parser.add_argument("clothing", type=Path)
    parser.add_argument("--first-epochs", type=int, default=30, help="on the catalogue photos")
    parser.add_argument("--epochs", type=int, default=60, help="on the clothing photos")
    parser.add_argument("--seeds", nargs="+", type=int, default=[17, 18, 19])
    parser.add_argument("--limit", type=int, default=8000, help="catalogue photos")
    options = parser.parse_args()
    print(where())
    with tempfile.TemporaryDirectory() as name:
        repository = clone(Path(name))
        import_photos(repository, options.photos, options.limit)
        prepare(repository, {})
        minutes = train(repository, {**BUDGET, "train.epochs": options.first_epochs})
        print(f"{options.first_epochs} epochs on the catalogue photos: {minutes:.1f} min")
        weights = str(shutil.copy(repository / "artifacts/train/model.keras", name))
        run(
            ["vitrine", "import", "folder", str(options.clothing.resolve()), "--replace"],
            repository,
        )
        prepare(repository, {})
        print(table(["category, test", "epochs", "minutes", *MEASURES], []))
        for start, arm in (("from scratch", "none"), ("from the catalogue photos", weights)):
            settings = {**BUDGET, "train.epochs": options.epochs, "train.weights": arm}
            _print(start, [_training(repository, settings, seed) for seed in options.seeds])


def _training(repository: Path, settings: Settings, seed: int) -> Training:
    return judge(repository, train(repository, {**settings, "train.seed": seed}))


def _print(start: str, made: Sequence[Training]) -> None:
    figures = [mean([one.heads["category"][measure] for one in made]) for measure in MEASURES]
    minutes = ", ".join(f"{one.minutes:.1f}" for one in made)
    print(f"| {' | '.join([start, str(made[0].epochs), minutes, *figures])} |", flush=True)


if __name__ == "__main__":
    main()
