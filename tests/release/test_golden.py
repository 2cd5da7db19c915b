"""The answers of a service are held against those of its bundle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vitrine.bundle.format import load_info
from vitrine.bundle.golden import read_golden
from vitrine.core.errors import BundleError, ServiceError
from vitrine.release.golden import prove_answers


def service(bundle: Path, digest: str, off: float) -> Callable[[bytes, str], dict[str, Any]]:
    """A service whose probabilities are all off by as much."""
    sources, expected = read_golden(bundle)

    def classify(image: bytes, name: str) -> dict[str, Any]:
        place = sources.index(image)
        assert name == f"golden image {place + 1}"
        heads = {
            head: {"probabilities": {str(label): p + off for label, p in enumerate(of[place])}}
            for head, of in expected.items()
        }
        return {**heads, "model": {"bundle_digest": digest}}

    return classify


def test_the_largest_difference_is_found(tiny_bundle: Path) -> None:
    digest = load_info(tiny_bundle).digest
    found = prove_answers("it", service(tiny_bundle, digest, 5e-4), tiny_bundle, "f32")
    assert found == pytest.approx(5e-4, rel=1e-2)


def test_what_is_allowed_hangs_on_what_is_computed_in(tiny_bundle: Path) -> None:
    answering = service(tiny_bundle, load_info(tiny_bundle).digest, 0.1)
    assert prove_answers("it", answering, tiny_bundle, "bf16") == pytest.approx(0.1)
    with pytest.raises(BundleError, match="it does not give its golden answers: .* off by 0.1,"):
        prove_answers("it", answering, tiny_bundle, "f32")


def test_nothing_is_no_number(tiny_bundle: Path) -> None:
    answering = service(tiny_bundle, load_info(tiny_bundle).digest, float("nan"))
    with pytest.raises(BundleError, match="off by nan"):
        prove_answers("it", answering, tiny_bundle, "f32")


def test_another_bundle_answers(tiny_bundle: Path) -> None:
    answering = service(tiny_bundle, "f" * 64, 0.0)
    with pytest.raises(ServiceError, match="it answers by the bundle ffffffffffff, not by"):
        prove_answers("it", answering, tiny_bundle, "f32")
