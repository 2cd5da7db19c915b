"""The fastest precision that answers as well as f32 does is chosen."""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from vitrine.bundle.choice import choose, measure, try_out
from vitrine.bundle.format import MeasuredPrecision
from vitrine.bundle.graph import write_graph
from vitrine.core.params import Precision
from vitrine.inputs.shards import Batch


def _measured(
    precision: Precision,
    speed: float,
    accuracy: float = 0.9,
    macro_f1: float = 0.8,
    agreement: float = 1.0,
) -> MeasuredPrecision:
    """What was found on a split whose categories alone are known."""
    return MeasuredPrecision(
        precision=precision,
        images_per_second=speed,
        agreement={"style": agreement, "category": 0.5},
        accuracy={"category": accuracy},
        macro_f1={"category": macro_f1},
    )


EXACT = _measured("f32", 100)


@pytest.mark.parametrize(
    ("others", "chosen"),
    [
        ([], "f32"),
        ([_measured("bf16", 150)], "bf16"),
        ([_measured("bf16", 150), _measured("int8", 300)], "int8"),
        ([_measured("bf16", 150), _measured("int8", 140)], "bf16"),
        # Slower, or faster by less than a clock errs.
        ([_measured("bf16", 90), _measured("int8", 109)], "f32"),
        ([_measured("bf16", 150), _measured("int8", 160)], "bf16"),
        # Too much is lost by one of the measures, or by the answers of a head without labels.
        ([_measured("bf16", 150), _measured("int8", 300, accuracy=0.88)], "bf16"),
        ([_measured("bf16", 150), _measured("int8", 300, macro_f1=0.78)], "bf16"),
        ([_measured("bf16", 150), _measured("int8", 300, agreement=0.98)], "bf16"),
        ([_measured("int8", 300, accuracy=0.895, macro_f1=0.83)], "int8"),
        ([_measured("bf16", 150, accuracy=0.7), _measured("int8", 140)], "int8"),
    ],
)
def test_the_fastest_that_is_good_enough_is_chosen(
    others: list[MeasuredPrecision], chosen: Precision
) -> None:
    assert choose([EXACT, *others], tolerance=0.01) == chosen


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[Precision, Path]:
    """Two graphs: that of `int8` says of every image what the other says of none."""
    folder = tmp_path_factory.mktemp("graphs")
    image = keras.Input((8, 8, 3), dtype="uint8", name="image")
    mean = keras.ops.mean(keras.ops.cast(image, "float32"), axis=(1, 2, 3)) - 128
    dark = keras.ops.stack([-mean, mean], axis=1)
    for name, logits in (("right", dark), ("wrong", -dark)):
        write_graph(keras.Model(image, {"category": logits, "other": mean}), folder / f"{name}.xml")
    return {"f32": folder / "right.xml", "int8": folder / "wrong.xml"}


def _batches() -> Iterator[Batch]:
    """Two dark images, then three bright ones, of which the last is unknown."""
    for grey, labels in ((10, [0, 0]), (200, [1, 0, -1])):
        images = np.full((len(labels), 8, 8, 3), grey, np.uint8)
        yield Batch(images, {"category": np.array(labels)}, [])


def test_every_graph_answers_every_image(graphs: dict[Precision, Path]) -> None:
    tried = try_out(graphs, _batches(), ["category"])
    assert tried.labels["category"].tolist() == [0, 0, 1, 0, -1]
    exact, coarse = (tried.logits[name]["category"] for name in ("f32", "int8"))
    np.testing.assert_allclose(exact[:, 1], [-118, -118, 72, 72, 72], atol=1e-3)
    np.testing.assert_allclose(coarse, -exact, atol=1e-3)


def test_each_precision_is_measured_against_the_labels_and_against_f32(
    graphs: dict[Precision, Path],
) -> None:
    tried = try_out(graphs, _batches(), ["category"])
    exact, coarse = measure(graphs, tried, np.zeros((8, 8, 3), np.uint8))
    assert (exact.precision, coarse.precision) == ("f32", "int8")
    assert (exact.agreement, coarse.agreement) == ({"category": 1}, {"category": 0})
    # Of the four known ones f32 has three right, the other one.
    assert (exact.accuracy["category"], coarse.accuracy["category"]) == (0.75, 0.25)
    assert exact.macro_f1["category"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert min(exact.images_per_second, coarse.images_per_second) > 0
    assert choose([exact, coarse], tolerance=0.1) == "f32"


def test_a_head_without_labels_has_no_accuracy(graphs: dict[Precision, Path]) -> None:
    unknown = Batch(np.zeros((2, 8, 8, 3), np.uint8), {"category": np.array([-1, -1])}, [])
    exact, _ = measure(graphs, try_out(graphs, [unknown], ["category"]), unknown.images[0])
    assert (exact.agreement, exact.accuracy, exact.macro_f1) == ({"category": 1}, {}, {})
