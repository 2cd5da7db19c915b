"""Claim: with few labels, a backbone that has seen the images before learns more from them.

Run: `python benchmarks/pretraining.py FOLDER`, where FOLDER is the public set "Fashion Product
Images (Small)"; style = usage, category = articleType, classes of fewer than 10 images left out.
All photos of train are pretrained on once, without labels. Then a part of the labels is given back,
of whole products and at least one of each category, and both ways train the same steps on these
photos: from the start, and from the pretrained network. Each seed draws other labels, the same for
both ways. The best epoch is chosen on 300 photos of val, the figures are of all photos of test.
"""

import argparse
import csv
import math
import random
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
from measure import clone, where
from sklearn.metrics import accuracy_score, f1_score
from trainings import (
    BUDGET,
    Settings,
    configure,
    import_photos,
    mean,
    prepare,
    stages,
    table,
    train,
)

from vitrine.core.taxonomy import HEADS, UNKNOWN
from vitrine.inputs.records import Record, decode, read_frames
from vitrine.inputs.shards import read_batches, write_split
from vitrine.inputs.summary import Summary

WAYS: dict[str, Settings] = {
    "from the start": {"train.weights": "none"},
    "pretrained": {"train.weights": "pretrained"},
}
VAL = 300
COLUMNS = ["labelled photos", "", *(f"{h}, {m}" for h in HEADS for m in ("accuracy", "macro F1"))]


def main() -> None:
    """Print the time of the pretraining, then a table: mean over the seeds and deviation."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=20, help="of the pretraining")
    parser.add_argument("--steps", type=int, default=400, help="of each training")
    parser.add_argument("--shares", nargs="+", type=float, default=[0.01, 0.1], help="of labels")
    parser.add_argument("--seeds", nargs="+", type=int, default=[17, 18, 19])
    parser.add_argument("--limit", type=int, default=8000)
    options = parser.parse_args()
    print(where())
    with tempfile.TemporaryDirectory() as name:
        repository = clone(Path(name))
        import_photos(repository, options.folder, options.limit)
        prepare(repository, {"pretrain.method": "simclr", "pretrain.epochs": options.epochs})
        minutes = stages(repository, "pretrain")
        print(f"pretraining: {options.epochs} epochs, {minutes:.1f} minutes")
        print((repository / "reports/pretrain/history.csv").read_text(encoding="utf-8"))
        whole = shutil.copytree(repository / "artifacts/prepare", Path(name) / "whole")
        print(table(COLUMNS, []))
        for share in options.shares:
            _compare(repository, whole, share, options.seeds, options.steps)


def _compare(repository: Path, whole: Path, share: float, seeds: Sequence[int], steps: int) -> None:
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    images = 0
    for seed in seeds:
        images = _give_labels(repository, whole, share, seed)
        configure(repository, {**BUDGET, "train.seed": seed, "train.batch_size": 64})
        epochs = math.ceil(steps / math.ceil(images / 64))
        for way, settings in WAYS.items():
            train(repository, {**settings, "train.epochs": epochs})
            found[way].append(_figures(repository))
    for way, made in found.items():
        cells = [mean([figures[name] for figures in made]) for name in made[0]]
        print(f"| {' | '.join([f'{images} ({share:.0%})', way, *cells])} |", flush=True)


def _give_labels(repository: Path, whole: Path, share: float, seed: int) -> int:
    """Put shards with a part of train in the place of all; return how many images it has."""
    summary, folder = Summary.load(whole), repository / "artifacts/prepare"
    shutil.rmtree(folder)
    shutil.copytree(whole, folder)
    kept = _draw(list(_records(whole, "train")), _products(repository), share, seed)
    splits = {"train": kept, "val": list(_records(whole, "val"))[:VAL]}
    made = {
        split: write_split(folder / split, records, summary.taxonomy, images=len(records), shards=1)
        for split, records in splits.items()
    }
    summary.model_copy(update={"splits": {**summary.splits, **made}}).save(folder)
    return len(kept)


def _draw(
    records: Sequence[Record], products: dict[str, str], share: float, seed: int
) -> list[Record]:
    """Return all images of some products, drawn for each category until its share is reached."""
    categories: dict[int, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        product = products[record.image] or record.image
        categories[record.labels["category"]][product].append(record)
    chance, drawn = random.Random(seed), []
    for _, views in sorted(categories.items()):
        wanted = share * sum(map(len, views.values()))
        taken: list[Record] = []
        for product in chance.sample(sorted(views), len(views)):
            if len(taken) >= wanted:
                break
            taken += views[product]
        drawn += taken
    chance.shuffle(drawn)
    return drawn


def _products(repository: Path) -> dict[str, str]:
    with (repository / "data/manifest.csv").open(encoding="utf-8", newline="") as file:
        return {row["image"]: row["product"] for row in csv.DictReader(file)}


def _records(folder: Path, split: str) -> Iterator[Record]:
    summary = Summary.load(folder)
    for path in summary.shard_paths(folder, split):
        for data in read_frames(path):
            yield decode(data, summary.image_shape)


def _figures(repository: Path) -> dict[str, float]:
    """Return the accuracy and macro F1 of each head on test, in the order of the columns."""
    network = keras.models.load_model(repository / "artifacts/train/model.keras")
    truth, answers = defaultdict(list), defaultdict(list)
    for batch in read_batches(repository / "artifacts/prepare", "test", 128):
        logits = network.predict_on_batch(batch.images.astype("float32"))
        for head in HEADS:
            truth[head].append(batch.labels[head])
            answers[head].append(np.asarray(logits[head]).argmax(axis=-1))
    figures = {}
    for head in HEADS:
        right, said = np.concatenate(truth[head]), np.concatenate(answers[head])
        known = right != UNKNOWN
        right, said = right[known], said[known]
        figures[f"{head} accuracy"] = float(accuracy_score(right, said))
        figures[f"{head} macro F1"] = float(
            f1_score(right, said, labels=np.unique(right), average="macro", zero_division=0)
        )
    return figures


if __name__ == "__main__":
    main()
