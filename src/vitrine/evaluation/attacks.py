"""How much accuracy is left when someone who knows the network changes images to mislead it.

Attacks in the L-infinity norm: no value of a pixel is changed by more than epsilon grey levels.
FGSM (Goodfellow et al., 2015) takes one step along the sign of the loss's gradient; PGD (Madry et
al., 2018) takes several smaller ones from a random start and stays within the bound. The gradients
are those of the Keras network in the bundle. The images are rounded to whole grey levels, as a
file would hold them, and answered by the graph that is served.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.format import NETWORK
from vitrine.bundle.runtime import Runtime
from vitrine.core.params import AttackParams, EvaluateParams
from vitrine.core.progress import track
from vitrine.core.taxonomy import UNKNOWN, Head

REACH = 2.5
"""The steps of PGD together reach so many times as far as the bound, as Madry et al. chose."""

Pixels = NDArray[np.uint8]
Labels = Mapping[Head, NDArray[np.int64]]
Slope = Callable[[NDArray[np.float32], Labels], NDArray[np.float32]]
"""From images (n, height, width, 3), 0 to 255, and labels to the gradient of each image's loss."""


@dataclass(frozen=True, slots=True)
class Attacked:
    """The accuracy that is left under one attack.

    Args:
        attack: `FGSM` or `PGD`.
        epsilon: The bound, in grey levels of 255.
        images: How many images were attacked.
        accuracy: By head with known labels, of the attacked images, 0 to 1.
        clean: The same of these images as they were.
    """

    attack: str
    epsilon: float
    images: int
    accuracy: dict[Head, float]
    clean: dict[Head, float]


def attacked(
    runtime: Runtime, images: Pixels, labels: Labels, section: EvaluateParams
) -> list[Attacked]:
    """Attack images, on all heads at once, and answer them as the service would. Needs TensorFlow.

    Args:
        runtime: The bundle.
        images: At least one, (n, height, width, 3); all of them are attacked.
        labels: By head, (n,) class indices; -1 where unknown.
        section: The bound and the steps of the attack, the batch size, the seed.

    Raises:
        ModelError: The Keras network in the bundle does not fit it.
    """
    slope = loss_slope(runtime)
    random = np.random.default_rng(section.seed)
    versions: dict[str, list[Pixels]] = {"FGSM": [], "PGD": []}
    starts = range(0, len(images), section.batch_size)
    for start in track(starts, "Attacking", len(starts)):
        batch = images[start : start + section.batch_size]
        known = {head: truth[start : start + section.batch_size] for head, truth in labels.items()}
        versions["FGSM"].append(fgsm(batch, known, slope, section.attack.epsilon))
        versions["PGD"].append(pgd(batch, known, slope, section.attack, random))
    clean = _accuracy(runtime, images, labels, section.batch_size)
    return [
        Attacked(
            attack,
            section.attack.epsilon,
            len(images),
            _accuracy(runtime, np.concatenate(parts), labels, section.batch_size),
            clean,
        )
        for attack, parts in versions.items()
    ]


def fgsm(images: Pixels, labels: Labels, slope: Slope, epsilon: float) -> Pixels:
    """Return images one step of the whole part of `epsilon` up their losses."""
    levels = images.astype(np.float32)
    return _whole(levels + floor(epsilon) * np.sign(slope(levels, labels)))


def pgd(
    images: Pixels, labels: Labels, slope: Slope, attack: AttackParams, random: np.random.Generator
) -> Pixels:
    """Return images several steps up their losses, never further than the whole part of epsilon."""
    bound = floor(attack.epsilon)
    levels = images.astype(np.float32)
    low, high = np.maximum(levels - bound, 0), np.minimum(levels + bound, 255)
    found = random.uniform(low, high).astype(np.float32)
    step = REACH * bound / attack.steps
    for _ in range(attack.steps):
        found = np.clip(found + step * np.sign(slope(found, labels)), low, high)
    return _whole(found)


def loss_slope(runtime: Runtime) -> Slope:
    """Return the gradient of what a bundle's network loses on images, with respect to their pixels.

    The loss is the cross-entropy of the calibrated probabilities, summed over the heads of which
    the label is known.

    Raises:
        ModelError: The Keras network in the bundle does not fit it.
    """
    import keras
    import tensorflow as tf

    from vitrine.bundle.graph import load_network

    info = runtime.info
    served = load_network(runtime.folder / NETWORK, info.image, info.taxonomy)
    # What is served begins by turning whole numbers into real ones, where no gradient passes.
    network = next(layer for layer in served.layers if isinstance(layer, keras.Model))

    def slope(images: NDArray[np.float32], labels: Labels) -> NDArray[np.float32]:
        pixels = tf.constant(images)
        loss = 0.0
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            logits = network(pixels, training=False)
            for head, temperature in info.calibration.items():
                known = labels[head] != UNKNOWN
                entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
                    np.where(known, labels[head], 0), logits[head] / temperature
                )
                loss += tf.reduce_sum(entropy * known.astype(np.float32))
        return np.asarray(tape.gradient(loss, pixels))

    return slope


def _whole(levels: NDArray[np.float32]) -> Pixels:
    return np.rint(levels).clip(0, 255).astype(np.uint8)


def _accuracy(
    runtime: Runtime, images: Pixels, labels: Labels, batch_size: int
) -> dict[Head, float]:
    right: dict[Head, list[NDArray[np.bool_]]] = {head: [] for head in runtime.info.heads}
    for start in range(0, len(images), batch_size):
        part = slice(start, start + batch_size)
        predictions = runtime.predict(images[part])
        for head, found in right.items():
            known = labels[head][part] != UNKNOWN
            answers = predictions.probabilities(head).argmax(axis=1)
            found.append((answers == labels[head][part])[known])
    return {
        head: float(np.concatenate(found).mean())
        for head, found in right.items()
        if any(map(len, found))
    }
