"""The training step of small_resnet in Vitrine, asked by `step_speed.py`.

It is a whole training by `vitrine.training.fit`, only that every batch is the same one.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import keras
import numpy as np
from constant import classes, constant_batches, job, train_params

from vitrine.core.taxonomy import HEADS
from vitrine.models import build
from vitrine.models.losses import MaskedCrossentropy
from vitrine.training.fit import fit
from vitrine.training.history import Epoch

IMAGES = 16
"""How many are compared."""


def speed(options: argparse.Namespace) -> float:
    """Return the images a second of the median epoch; the first one does not count."""
    epochs: list[Epoch] = []
    changes = {"batch_size": options.batch, "precision": options.precision, "epochs": 4}
    with tempfile.TemporaryDirectory() as folder, constant_batches(lambda: True):
        size = (options.height, options.width)
        images = options.steps * options.batch
        fit(job(Path(folder), size, images, changes), epochs.append)
    return statistics.median(epoch.images_per_second for epoch in epochs[1:])


def write_check(path: str, size: tuple[int, int]) -> int:
    """Write a network of random weights, images, and what it makes of them; return its size."""
    random = np.random.default_rng(0)
    network = build(
        "small_resnet",
        image_shape=(*size, 3),
        classes=classes(),
        dropout=train_params({}).dropout,
        stochastic_depth=0.0,
    )
    for weight in network.weights:
        # A running variance may not be negative, and not so small that all logits are huge.
        low, high = (-0.1, 0.1) if weight.name == "kernel" else (0.5, 1.5)
        if not weight.dtype.startswith("uint"):
            weight.assign(random.uniform(low, high, weight.shape))
    image = random.uniform(0, 255, (IMAGES, *size, 3)).astype(np.float32)
    logits = network(image, training=False)
    targets = {
        head: np.eye(count, dtype=np.float32)[random.integers(count, size=IMAGES)]
        for head, count in classes().items()
    }
    targets["style"][0] = 0
    loss = MaskedCrossentropy(train_params({}).label_smoothing)
    np.savez(
        path,
        image=image,
        loss=sum(float(loss(targets[head], logits[head])) for head in HEADS),
        **{f"target {head}": targets[head] for head in HEADS},
        **{f"logits {head}": keras.ops.convert_to_numpy(logits[head]) for head in HEADS},
        **{
            f"{layer.name}/{weight.name}": weight.numpy()
            for layer in network.layers
            for weight in layer.weights
            if not weight.dtype.startswith("uint")
        },
    )
    return int(sum(np.prod(w.shape) for w in network.weights if not w.dtype.startswith("uint")))


def main() -> None:
    """Print the images a second, or the size of what `--check` wrote, as one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--precision", choices=["auto", "float32", "bfloat16"], default="auto")
    parser.add_argument("--height", type=int, default=80)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--check", metavar="FILE")
    options = parser.parse_args()
    if options.check:
        parameters = write_check(options.check, (options.height, options.width))
        print(json.dumps({"parameters": parameters}))
    else:
        print(json.dumps({"images_per_second": speed(options)}))


if __name__ == "__main__":
    main()
