"""Several devices learn together what one learns alone; several machines are refused."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from clones import ROOT
from shards import write_shards
from vitrine.core.errors import ModelError
from vitrine.core.params import ImageParams
from vitrine.training.devices import divisible, strategy


@pytest.mark.parametrize("config", ["", '{"cluster": {"worker": ["localhost:1"]}}', "{}"])
def test_one_machine_needs_no_strategy(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", config)
    assert strategy().num_replicas_in_sync == 1


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            '{"cluster": {"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "task": {"index": 0}}',
            r"TF_CONFIG names 3 machines, but one training runs on one machine.*unset TF_CONFIG",
        ),
        ("{worker", "TF_CONFIG is not what TensorFlow reads: correct or unset it"),
        ('{"cluster": ["a:1", "b:1"]}', "TF_CONFIG is not what TensorFlow reads"),
    ],
)
def test_several_machines_are_refused(
    config: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ModelError, match=words):
        strategy()


def test_a_batch_is_filled_up_with_images_that_teach_nothing() -> None:
    images = np.arange(5, dtype="float32").reshape(5, 1, 1, 1)
    batches = tf.data.Dataset.from_tensors((images, {"style": np.eye(5, dtype="float32")}))
    ((filled, targets),) = divisible(batches, 8).as_numpy_iterator()
    assert filled.ravel().tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    np.testing.assert_array_equal(targets["style"], np.eye(8, 5))
    ((same, _),) = divisible(batches, 5).as_numpy_iterator()
    np.testing.assert_array_equal(same, images)


@pytest.mark.slow
def test_two_devices_learn_what_one_does(small: ImageParams, tmp_path: Path) -> None:
    # Labels are missing, so that the devices' halves weigh differently; 25 images have no halves.
    prepared = write_shards(tmp_path / "prepared", small, train=25)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/two_devices.py"), str(prepared), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["two"] == pytest.approx(found["one"], rel=1e-4)
    assert found["difference"] < 1e-5
    assert found["resumed"] == 1
    # A trace of a label weighs as little as on one device.
    assert found["faint"] == pytest.approx([0.5 * math.log(2), math.log(2), 0.0])
    # A last batch of one image leaves a device nothing of its own to normalise by.
    assert found["finite"]
