"""Golden answers: a few images inside the bundle by which it can prove itself anywhere."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.format import GOLDEN
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import BundleError
from vitrine.core.taxonomy import HEADS

BF16_TOLERANCE = 0.15
"""How far a probability may be off in bf16: its 8 bits add up to hundredths in a deep network."""


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


def prove(runtime: Runtime) -> float:
    """Answer the bundle's golden images and compare with what the export answered.

    Returns:
        The largest difference of a probability.

    Raises:
        BundleError: An answer differs by more than the bundle's tolerance; with bf16 by more than
            `BF16_TOLERANCE`.
    """
    sources, expected = read_golden(runtime.folder)
    answers = runtime.answer(sources)
    worst = max(
        float(np.abs(answers.probabilities(head) - probabilities).max())
        for head, probabilities in ((head, expected[head]) for head in runtime.info.heads)
    )
    tolerance = runtime.info.tolerance
    if runtime.precision == "bf16":
        tolerance = max(tolerance, BF16_TOLERANCE)
    if not worst <= tolerance:
        raise BundleError(
            f"{runtime.folder} does not answer its golden images as it did when it was exported: a "
            f"probability is off by {worst:.2g}, where at most {tolerance:.2g} is allowed; export "
            "it again, or look for another version of Pillow or OpenVINO here"
        )
    return worst
