"""A trained Keras network becomes a bundle, which is proven to answer as the network does."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.abstention import threshold
from vitrine.bundle.calibration import softmax, temperature
from vitrine.bundle.choice import Labelled, Tried, choose, measure, try_out
from vitrine.bundle.compiled import CompiledGraph, chip_precisions
from vitrine.bundle.format import (
    FORMAT_VERSION,
    GRAPH,
    NETWORK,
    BundleInfo,
    Computing,
    Lineage,
    digests,
)
from vitrine.bundle.golden import prove, write_golden
from vitrine.bundle.graph import load_network, write_calibrated, write_graph
from vitrine.bundle.quantising import quantise
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import BundleError
from vitrine.core.files import atomic_folder
from vitrine.core.params import ImageParams, Precision
from vitrine.core.taxonomy import HEADS, Head, Taxonomy

SAMPLE = 256
"""How many val images, at most, the graph's answers are compared on with the network's, and show
which values occur when the graph becomes one of integers."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a bundle beside the network.

    Args:
        image: How bytes become the network's pixels.
        taxonomy: The labels in the order of the network's outputs.
        lineage: Where the network comes from.
        golden: Encoded images, each the bytes of one file, that are kept with their answers.
        tolerance: The largest difference of a probability between bundle and network.
        precision: Which share of a head's sure answers should be right, 0 to 1.
        computing: What may be computed in, f32 among it; what this CPU lacks is left out.
        computing_tolerance: By how much accuracy and macro F1 on val may fall from those of f32.
    """

    image: ImageParams
    taxonomy: Taxonomy
    lineage: Lineage
    golden: Sequence[bytes]
    tolerance: float
    precision: float
    computing: Sequence[Precision] = ("f32",)
    computing_tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished bundle: its description and its largest difference from the Keras network."""

    info: BundleInfo
    difference: float


def export_bundle(
    network: Path, folder: Path, contents: Contents, validation: Iterable[Labelled]
) -> Exported:
    """Write the bundle of a trained network; `folder` appears whole and proven, or not at all.

    Args:
        network: The .keras file.
        folder: Where the bundle goes.
        contents: What belongs to it beside the network.
        validation: Batches of the val split, at least one: on them the precision is chosen and
            bundle and network are compared, and they give the temperatures and the thresholds.

    Raises:
        ModelError: The file is no network that fits image settings and taxonomy.
        BundleError: The bundle does not answer as the network does.
    """
    raw = load_network(network, contents.image, contents.taxonomy)
    heads = [head for head in HEADS if head in raw.output]
    batches = iter(validation)
    first = list(_sampled(batches))
    sample = np.concatenate([batch.images for batch in first])[:SAMPLE]
    with atomic_folder(folder) as new, tempfile.TemporaryDirectory() as scratch:
        graphs = _graphs(raw, sample, contents.computing, Path(scratch))
        tried = try_out(graphs, chain(first, batches), heads)
        computing = _choose(graphs, tried, sample[0], contents.computing_tolerance)
        graph = graphs[computing.precision]
        fitted = _fit(tried, computing.precision, contents.precision)
        difference = _compare(raw, sample, tried, fitted.temperatures, contents.tolerance)
        shutil.copyfile(network, new / NETWORK)
        write_calibrated(graph, fitted.temperatures, new / GRAPH)
        _answer_golden(new, graph, fitted.temperatures, contents)
        info = _describe(new, contents, sorted(raw.output), fitted, computing)
        info.save(new)
        # The first proof is the strict one: that the calibration was put into the graph rightly.
        for wanted in ("f32", "auto"):
            prove(Runtime(new, precision=wanted))
    return Exported(info, difference)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """By head, the temperature and the threshold of what is computed in."""

    temperatures: dict[Head, float]
    thresholds: dict[Head, float]


def _sampled(batches: Iterator[Labelled]) -> Iterator[Labelled]:
    """Yield the first batches, until they hold enough images."""
    count = 0
    while count < SAMPLE and (batch := next(batches, None)) is not None:
        yield batch
        count += len(batch.images)


def _graphs(
    network: keras.Model, sample: NDArray[np.uint8], wanted: Sequence[Precision], folder: Path
) -> dict[Precision, Path]:
    """Write the graphs whose heads give logits, and return by precision which one it takes."""
    usable = [precision for precision in chip_precisions() if precision in wanted]
    exact, integers = folder / "exact.xml", folder / "integers.xml"
    write_graph(network, exact)
    if "int8" in usable:
        quantise(exact, sample, integers)
    return {precision: integers if precision == "int8" else exact for precision in usable}


def _choose(
    graphs: dict[Precision, Path], tried: Tried, image: NDArray[np.uint8], tolerance: float
) -> Computing:
    measured = measure(graphs, tried, image)
    return Computing(precision=choose(measured, tolerance), measured=tuple(measured))


def _fit(tried: Tried, computing: Precision, sure: float) -> _Fitted:
    fitted = _Fitted({}, {})
    for head, labels in tried.labels.items():
        logits = tried.logits[computing][head]
        fitted.temperatures[head] = temperature(logits, labels)
        answers = softmax(logits, fitted.temperatures[head])
        fitted.thresholds[head] = threshold(answers, labels, sure)
    return fitted


def _describe(
    folder: Path,
    contents: Contents,
    outputs: Sequence[str],
    fitted: _Fitted,
    computing: Computing,
) -> BundleInfo:
    return BundleInfo(
        format_version=FORMAT_VERSION,
        image=contents.image,
        taxonomy=contents.taxonomy,
        outputs=tuple(outputs),
        calibration=fitted.temperatures,
        precision=contents.precision,
        thresholds=fitted.thresholds,
        tolerance=contents.tolerance,
        files=digests(folder),
        lineage=contents.lineage,
        computing=computing,
    )


def _answer_golden(
    folder: Path, graph: Path, temperatures: dict[Head, float], contents: Contents
) -> None:
    """Keep what the graph answers where all that is not quantised is computed in f32."""
    pixels = [imaging.load(source, contents.image) for source in contents.golden]
    logits = CompiledGraph(graph, "f32", 0).infer(np.stack(pixels))
    answers: dict[str, NDArray[np.float32]] = {
        head: softmax(logits[head], value).astype(np.float32)
        for head, value in temperatures.items()
    }
    write_golden(folder, contents.golden, answers)


def _compare(
    network: keras.Model,
    images: NDArray[np.uint8],
    tried: Tried,
    temperatures: dict[Head, float],
    tolerance: float,
) -> float:
    """Return the largest difference of a probability between the f32 graph and the network."""
    expected = network.predict(images, verbose=0)
    exact = tried.logits["f32"]
    difference = max(
        float(np.abs(softmax(exact[head][: len(images)], t) - softmax(expected[head], t)).max())
        for head, t in temperatures.items()
    )
    if not difference <= tolerance:
        raise BundleError(
            f"the exported graph does not answer as the Keras model: a probability is off by "
            f"{difference:.2g}, where export.tolerance allows {tolerance:.2g}; look for a layer "
            "that acts otherwise when exported"
        )
    return difference
