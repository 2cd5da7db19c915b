"""Shards and settings for trainings of seconds."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from shards import write_shards
from vitrine.core.params import ImageParams, Params, TrainParams, override


@pytest.fixture(scope="session", autouse=True)
def few_objects() -> Iterator[None]:
    """Leave what is loaded out of the collections of garbage: each training asks for two."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def prepared(small: ImageParams, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of shards at 32 pixels."""
    return write_shards(tmp_path_factory.mktemp("prepared"), small)


@pytest.fixture(scope="session")
def short(params: Params) -> TrainParams:
    """Settings of a training of three epochs of two steps."""
    return override(
        params.train,
        {"backbone": "simple_cnn", "epochs": 3, "min_steps": 0, "batch_size": 12, "patience": 3},
    )
