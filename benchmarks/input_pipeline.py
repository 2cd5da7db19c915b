"""Claim: an epoch from the shards takes at most 5 % longer than one with a constant batch.

Run: `python benchmarks/input_pipeline.py`. One training of small_resnet, 80×64 pixels, with the
augmentation of params.yaml; every other epoch gets its first batch again and again instead of
reading, shuffling and augmenting. Then the input pipeline alone.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from constant import constant_batches, job
from measure import where

from vitrine.inputs.pipeline import dataset
from vitrine.models.augmentation import Augmentation
from vitrine.training.fit import fit
from vitrine.training.history import Epoch
from vitrine.training.trainer import Job

SIZE = (80, 64)


def main() -> None:
    """Print the speeds of all pairs of epochs, their ratio, and the speed of the pipeline."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=5600)
    options = parser.parse_args()
    print(where())
    with tempfile.TemporaryDirectory() as folder:
        # The first two epochs do what is done only once, such as tracing.
        epochs = 2 * options.rounds + 2
        training = job(Path(folder), SIZE, options.images, {"epochs": epochs})
        speeds = [epoch.images_per_second for epoch in _train(training)][2:]
        pairs = list(zip(speeds[::2], speeds[1::2], strict=True))
        print("\n| constant batch, images/s | from the shards, images/s | time, ratio |")
        print("| --- | --- | --- |")
        for constant, real in pairs:
            print(f"| {constant:.0f} | {real:.0f} | {constant / real:.3f} |")
        ratio = statistics.median(constant / real for constant, real in pairs)
        print(f"\nmedian ratio: {ratio:.3f}")
        print(f"the input pipeline alone: {_alone(training, options.images):,.0f} images/s")


def _train(training: Job) -> list[Epoch]:
    epochs: list[Epoch] = []
    with constant_batches(lambda: len(epochs) % 2 == 0):
        fit(training, epochs.append)
    return epochs


def _alone(training: Job, images: int) -> float:
    batches = dataset(
        training.prepared,
        "train",
        batch_size=training.params.batch_size,
        shuffle_seed=1,
        augment=Augmentation(training.params.augment, 1),
    )
    speeds = []
    for _ in range(4):
        begun = time.perf_counter()
        for _batch in batches:
            pass
        speeds.append(images / (time.perf_counter() - begun))
    return statistics.median(speeds[1:])


if __name__ == "__main__":
    main()
