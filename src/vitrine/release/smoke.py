"""A last look at a service before anybody else sends it a request."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine import tracking
from vitrine.bundle.format import load_info
from vitrine.core.errors import ReleaseError, ServiceError
from vitrine.core.pin import BENTOFILE, pinned_tag
from vitrine.release.golden import SHORT, prove_answers
from vitrine.release.local_service import local_service
from vitrine.release.package import model_tag
from vitrine.release.running_service import await_service, classify

MODEL = re.compile(r"(?P<name>.+):v(?P<number>\d+)-[0-9a-f]+")
"""A model's tag, as `vitrine package` makes it."""


@dataclass(frozen=True)
class Answer:
    """What the service said.

    Args:
        ready_seconds: From starting the process to its being ready.
        answer_seconds: From sending the image to having the answer.
        body: The answer's JSON.
    """

    ready_seconds: float
    answer_seconds: float
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """A running service that answers by the pinned model.

    Args:
        url: Its address.
        tag: The model's tag in BentoML's store.
        digest: Of the model's bundle.
        precision: What the service computes in.
        difference: The largest difference of a probability from the golden answers.
    """

    url: str
    tag: str
    digest: str
    precision: str
    difference: float

    def describe(self) -> str:
        """Return the lines that a person sees."""
        return (
            f"{self.url} answers by the bundle {self.digest}, as {BENTOFILE} pins it ({self.tag})\n"
            f"it gives its golden answers in {self.precision}: the largest difference is "
            f"{self.difference:.1g}"
        )


def smoke(image: Path) -> Answer:
    """Start `bentoml serve` in the working directory, classify one image, and stop it again.

    Raises:
        ServiceError: The service does not come up, or does not answer with status 200.
    """
    with local_service(".", Path.cwd(), {}) as service:
        start = time.perf_counter()
        body = service.classify(image.read_bytes(), str(image))
        return Answer(service.ready_seconds, time.perf_counter() - start, body)


def prove_service(url: str) -> Proof:
    """Send a running service the golden images of the pinned model, and compare the answers.

    Args:
        url: The address of the service, which may still be starting.

    Raises:
        ReleaseError: Nothing is pinned, or the pinned model is nowhere to be found.
        TrackingError: The pinned model is not in BentoML's store, and MLflow does not answer.
        ServiceError: The service does not answer, or by another bundle than the pinned one.
        BundleError: An answer differs by more than the bundle allows.
    """
    tag, bundle = _pinned()
    digest = load_info(bundle).digest
    card = await_service(url)
    if card["bundle_digest"] != digest:
        raise ServiceError(
            f"the service at {url} answers by version {card['version']}, bundle "
            f"{card['bundle_digest'][:SHORT]}, but {BENTOFILE} pins {tag}, bundle "
            f"{digest[:SHORT]}: deploy what is pinned, or check out the commit that pins what runs"
        )
    precision = card["computing"]["precision"]
    difference = prove_answers(
        f"the service at {url}", lambda image, name: classify(url, image, name), bundle, precision
    )
    return Proof(url, tag, digest, precision, difference)


def _pinned() -> tuple[str, Path]:
    """Return the tag of the pinned model, and its bundle, if need be from MLflow."""
    import bentoml

    tag = pinned_tag(BENTOFILE)
    if tag is None:
        raise ReleaseError(f"{BENTOFILE} pins no model: run `vitrine package` first")
    try:
        return tag, Path(bentoml.models.get(tag).path)
    except bentoml.exceptions.BentoMLException:
        return tag, _registered(tag)


def _registered(tag: str) -> Path:
    if named := MODEL.fullmatch(tag):
        tracking.check()
        version = tracking.find_version(named["name"], named["number"])
        if version is not None and model_tag(version) == tag:
            return tracking.download_bundle(version.name, version.number)
    raise ReleaseError(
        f"{tag}, which {BENTOFILE} pins, is neither in BentoML's store here nor in MLflow: run "
        "`vitrine package`, or set MLFLOW_TRACKING_URI to the server that has it"
    )
