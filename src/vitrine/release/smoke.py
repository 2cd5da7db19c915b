"""One real request to a real `bentoml serve`, as a last look before anybody else sends one."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.release.local_service import local_service


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


def smoke(image: Path) -> Answer:
    """Start `bentoml serve` in the working directory, classify one image, and stop it again.

    Raises:
        ServiceError: The service does not come up, or does not answer with status 200.
    """
    with local_service(".", Path.cwd(), {}) as service:
        start = time.perf_counter()
        body = service.classify(image.read_bytes(), str(image))
        return Answer(service.ready_seconds, time.perf_counter() - start, body)
