"""Trainings that can be fed with one constant batch, to see what the training step alone takes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import tensorflow as tf
from measure import ROOT

from vitrine.core.params import Params, TrainParams, override
from vitrine.core.taxonomy import HEADS, Head, Label, Taxonomy
from vitrine.inputs.pipeline import untuned
from vitrine.training import trainer
from vitrine.training.trainer import Job

# isort: split
# Found through `measure`.
from shards import write_shards

TAXONOMY = Taxonomy(
    styles=tuple(Label(name=f"style {i}") for i in range(5)),
    categories=tuple(Label(name=f"category {i}") for i in range(60)),
)
"""As many labels as the catalogue photos have, about."""
STEP = {
    "backbone": "small_resnet",
    "weights": "none",
    "min_steps": 0,
    "optimizer": "adamw",
    "weight_decay": 0.02,
    "dropout": 0.2,
    "stochastic_depth": 0.0,
    "label_smoothing": 0.05,
    "logit_adjustment": 0.0,
    "ema_decay": 0.0,
    "patience": 1000,
}
"""What a training step does, so that it stays the same when the defaults change."""


def classes() -> dict[Head, int]:
    """Return how many classes each head tells apart."""
    return {head: len(TAXONOMY.names(head)) for head in HEADS}


def train_params(changes: Mapping[str, Any]) -> TrainParams:
    """Return the train section of params.yaml with the step of the benchmarks, and changes."""
    return override(Params.load(ROOT / "params.yaml").train, {**STEP, **changes})


def job(folder: Path, size: tuple[int, int], images: int, changes: Mapping[str, Any]) -> Job:
    """Write shards of invented images, and return a training on them.

    Args:
        folder: Where the shards go.
        size: Height and width.
        images: How many images of train.
        changes: Of the train section.
    """
    image = override(Params.load(ROOT / "params.yaml").image, {"height": size[0], "width": size[1]})
    write_shards(folder, image, train=images, val=64, taxonomy=TAXONOMY)
    return Job(train_params(changes), folder)


@contextmanager
def constant_batches(wanted: Callable[[], bool]) -> Iterator[None]:
    """Give a training its first batch again and again, in those epochs in which it is wanted.

    Args:
        wanted: Asked at the beginning of each epoch.
    """
    made = trainer.dataset

    def dataset(folder: Path, split: str, **options: Any) -> tf.data.Dataset:
        batches = made(folder, split, **options)
        if split != "train" or not wanted():
            return batches
        first = next(iter(batches))
        return untuned(tf.data.Dataset.from_tensors(first).repeat(len(batches)))

    with mock.patch.object(trainer, "dataset", dataset):
        yield
