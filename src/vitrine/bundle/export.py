"""A trained Keras network becomes a bundle, which is proven to answer as the network does."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.bundle.abstention import threshold
from vitrine.bundle.calibration import softmax, temperature
from vitrine.bundle.format import (
    FORMAT_VERSION,
    GRAPH,
    NETWORK,
    BundleInfo,
    Lineage,
    digests,
)
from vitrine.bundle.golden import prove, write_golden
from vitrine.bundle.graph import calibrated, load_network, write_graph
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import BundleError
from vitrine.core.files import atomic_folder
from vitrine.core.params import ImageParams
from vitrine.core.taxonomy import HEADS, Head, Taxonomy

COMPARED_IMAGES = 256
"""On how many val images, at most, the bundle's answers are compared with the network's."""


class Labelled(Protocol):
    """Some images with what is known of them."""

    @property
    def images(self) -> NDArray[np.uint8]:
        """The pixels, (n, height, width, 3)."""

    @property
    def labels(self) -> Mapping[Head, NDArray[np.int64]]:
        """By head, (n,) class indices, -1 where unknown."""


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
    """

    image: ImageParams
    taxonomy: Taxonomy
    lineage: Lineage
    golden: Sequence[bytes]
    tolerance: float
    precision: float


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
        validation: Batches of the val split, at least one: they give the temperatures and the
            thresholds, and on them bundle and network are compared.

    Raises:
        ModelError: The file is no network that fits image settings and taxonomy.
        BundleError: The bundle does not answer as the network does.
    """
    raw = load_network(network, contents.image, contents.taxonomy)
    fitted = _fit(raw, validation, contents.precision)
    served = calibrated(raw, fitted.temperatures)
    with atomic_folder(folder) as new:
        shutil.copyfile(network, new / NETWORK)
        write_graph(served, new / GRAPH)
        _answer_golden(new, served, contents)
        BundleInfo(
            format_version=FORMAT_VERSION,
            image=contents.image,
            taxonomy=contents.taxonomy,
            outputs=tuple(sorted(served.output)),
            calibration=fitted.temperatures,
            precision=contents.precision,
            thresholds=fitted.thresholds,
            tolerance=contents.tolerance,
            files=digests(new),
            lineage=contents.lineage,
        ).save(new)
        runtime = Runtime(new)
        difference = _compare(runtime, served, fitted.sample)
        prove(runtime)
    return Exported(runtime.info, difference)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """What val gives: some of its images, and by head the temperature and the threshold."""

    sample: NDArray[np.uint8]
    temperatures: dict[Head, float]
    thresholds: dict[Head, float]


def _fit(network: keras.Model, batches: Iterable[Labelled], precision: float) -> _Fitted:
    heads = [head for head in HEADS if head in network.output]
    logits: dict[Head, list[NDArray[np.float32]]] = {head: [] for head in heads}
    labels: dict[Head, list[NDArray[np.int64]]] = {head: [] for head in heads}
    sample: list[NDArray[np.uint8]] = []
    for batch in batches:
        if sum(map(len, sample)) < COMPARED_IMAGES:
            sample.append(batch.images)
        outputs = network.predict_on_batch(batch.images)
        for head in heads:
            logits[head].append(outputs[head])
            labels[head].append(batch.labels[head])
    fitted = _Fitted(np.concatenate(sample)[:COMPARED_IMAGES], {}, {})
    for head in heads:
        scores, truth = np.concatenate(logits[head]), np.concatenate(labels[head])
        fitted.temperatures[head] = temperature(scores, truth)
        answers = softmax(scores, fitted.temperatures[head])
        fitted.thresholds[head] = threshold(answers, truth, precision)
    return fitted


def _answer_golden(folder: Path, network: keras.Model, contents: Contents) -> None:
    pixels = [imaging.load(source, contents.image) for source in contents.golden]
    answers = network.predict(np.stack(pixels), verbose=0)
    write_golden(
        folder, contents.golden, {head: answers[head] for head in HEADS if head in answers}
    )


def _compare(runtime: Runtime, network: keras.Model, images: NDArray[np.uint8]) -> float:
    expected = network.predict(images, verbose=0)
    answers = runtime.predict(images)
    difference = max(
        float(np.abs(answers.probabilities(head) - expected[head]).max())
        for head in runtime.info.heads
    )
    if not difference <= runtime.info.tolerance:
        raise BundleError(
            f"the exported graph does not answer as the Keras model: a probability is off by "
            f"{difference:.2g}, where export.tolerance allows {runtime.info.tolerance:.2g}; look "
            "for a layer that acts otherwise when exported"
        )
    return difference
