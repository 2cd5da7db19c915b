"""Golden answers: a few images inside the bundle by which it can prove itself anywhere."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.format import GOLDEN, BundleInfo
from vitrine.bundle.runtime import Answering
from vitrine.core.errors import BundleError
from vitrine.core.params import Precision
from vitrine.core.taxonomy import HEADS

TOLERANCES: dict[Precision, float] = {"f32": 0.0, "bf16": 0.15, "int8": 0.15}
"""How far a probability may be off at least. The 8 bits of a bf16 number add up to hundredths in a
deep network; integers are rounded otherwise on another kind of chip."""


def write_golden(
    folder: Path, sources: Sequence[bytes], expected: dict[str, NDArray[np.float32]]
) -> None:
    """Write golden.npz: encoded images, each the bytes of one file, and the probabilities expected.

    Args:
        folder: The bundle.
        sources: n encoded images.
        expected: By head, (n, classes) probabilities.
    """
    lengths = np.array([len(source) for source in sources], np.int64)
    joined = np.frombuffer(b"".join(sources), np.uint8)
    np.savez(folder / GOLDEN, images=joined, lengths=lengths, allow_pickle=False, **expected)


def read_golden(folder: Path) -> tuple[list[bytes], dict[str, NDArray[np.float32]]]:
    """Return a bundle's encoded images and, by head, the (n, classes) probabilities expected."""
    with np.load(folder / GOLDEN, allow_pickle=False) as file:
        ends = np.cumsum(file["lengths"])
        sources = [part.tobytes() for part in np.split(file["images"], ends[:-1])]
        return sources, {head: file[head] for head in HEADS if head in file}


def allowed(info: BundleInfo, precision: Precision) -> float:
    """Return how far a probability may be from the expected one, in what is computed in.

    The expected ones of a bundle of integers are those of integers, whatever computes now.
    """
    stored: Precision = "int8" if info.computing.precision == "int8" else precision
    return max(info.tolerance, TOLERANCES[precision], TOLERANCES[stored])


def prove(runtime: Answering) -> float:
    """Answer the bundle's golden images and compare with what the export answered.

    Returns:
        The largest difference of a probability.

    Raises:
        BundleError: An answer differs by more than is `allowed`.
    """
    sources, expected = read_golden(runtime.folder)
    answers = runtime.answer(sources)
    worst = max(
        float(np.abs(answers.probabilities(head) - probabilities).max())
        for head, probabilities in ((head, expected[head]) for head in runtime.info.heads)
    )
    tolerance = allowed(runtime.info, runtime.precision)
    if not worst <= tolerance:
        raise BundleError(
            f"{runtime.folder} does not answer its golden images as it did when it was exported: a "
            f"probability is off by {worst:.2g}, where at most {tolerance:.2g} is allowed; export "
            "it again, or look for another version of Pillow, OpenVINO or TensorFlow here"
        )
    return worst
