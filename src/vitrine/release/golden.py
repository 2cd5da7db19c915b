"""The golden images, sent to a service: whether it answers as the export of its bundle did."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.bundle.format import load_info
from vitrine.bundle.golden import allowed, read_golden
from vitrine.core.errors import BundleError, ServiceError
from vitrine.core.params import Precision

ROUNDED = 1e-6
"""What an answer of the service is rounded to."""
SHORT = 12
"""Characters of a digest in a message."""


def prove_answers(
    who: str, classify: Callable[[bytes, str], dict[str, Any]], bundle: Path, precision: Precision
) -> float:
    """Send a service the golden images of a bundle and compare the answers.

    Args:
        who: The service, as a message names it.
        classify: Returns its answer to one encoded image, given that and a name for it.
        bundle: The bundle by which it has to answer.
        precision: What the service computes in.

    Returns:
        The largest difference of a probability.

    Raises:
        ServiceError: It does not answer, or by another bundle.
        BundleError: An answer differs by more than the bundle allows.
    """
    info = load_info(bundle)
    sources, expected = read_golden(bundle)
    worst = 0.0
    for place, source in enumerate(sources):
        answer = classify(source, f"golden image {place + 1}")
        found = answer["model"]["bundle_digest"]
        if found != info.digest:
            raise ServiceError(
                f"{who} answers by the bundle {found[:SHORT]}, not by {info.digest[:SHORT]}"
            )
        for head in info.heads:
            given = [*answer[head]["probabilities"].values()]
            off = np.abs(np.subtract(given, expected[head][place])).max()
            # Unlike max, it keeps what is no number.
            worst = float(np.maximum(worst, off))
    tolerance = allowed(info, precision)
    if not worst <= tolerance + ROUNDED:
        raise BundleError(
            f"{who} does not give its golden answers: a probability is off by {worst:.2g}, where "
            f"at most {tolerance:.2g} is allowed"
        )
    return worst
