"""A service that runs already: what it answers, and by which model."""

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from vitrine.core.errors import ReleaseError, ServiceError

KEY = "VITRINE_API_KEY"
"""The variable with the key of a service that asks for one."""
PATIENCE = 60.0
"""Seconds that a service has to take a model up."""
PAUSE = 0.1
ANSWER_SECONDS = 30.0
UNAUTHORIZED = 401
EXPECTED = {"tag", "version", "bundle_digest", "refused", "worker", "workers"}
"""What the service says of itself."""
SETTLED = 3.0
"""Seconds until a worker has surely looked at the pin; before, a refusal may be an earlier one."""
IN_A_ROW = 50
"""So many answers by the new model, one after the other, stand for workers that do not show up."""
NO_ANSWER = (OSError, http.client.HTTPException, ValueError)
"""What is raised where no service of Vitrine's answers."""


def check_service(url: str) -> None:
    """Make sure that a service answers, so that it is no version's fault when it does not.

    Args:
        url: The address of the service.

    Raises:
        ReleaseError: It does not answer.
    """
    try:
        _card(url)
    except NO_ANSWER as error:
        raise ReleaseError(
            f"the service at {url} does not answer ({error}), so nothing is decided: start it, "
            "correct the address, or leave --service out"
        ) from None


def await_service(url: str) -> dict[str, Any]:
    """Wait until a service answers, and return what it says of its model.

    Args:
        url: The address of the service.

    Raises:
        ServiceError: It asks for a key, or `PATIENCE` has run out.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _card(url)
        except NO_ANSWER as error:
            found = error
        if isinstance(found, urllib.error.HTTPError) and found.code == UNAUTHORIZED:
            raise ServiceError(
                f"the service at {url} takes no other key than its own: set {KEY}"
            ) from None
        if time.monotonic() > deadline:
            raise ServiceError(
                f"the service at {url} did not answer within {PATIENCE:.0f} s ({found}): start it, "
                "see its log, or correct the address"
            )
        time.sleep(PAUSE)


def classify(url: str, image: bytes, name: str) -> dict[str, Any]:
    """Return a service's answer to one encoded image.

    Args:
        url: The address of the service.
        image: The bytes of one file.
        name: The image, as a message names it.

    Raises:
        ServiceError: It does not answer with status 200.
    """
    request = _request(url, "classify")
    request.data = image
    request.add_header("Content-Type", "application/octet-stream")
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
            body: dict[str, Any] = json.load(response)
            return body
    except urllib.error.HTTPError as error:
        with error:
            said = error.read().decode(errors="replace")
        raise ServiceError(f"the service answered {error.code} to {name}: {said}") from None
    except NO_ANSWER as error:
        raise ServiceError(f"the service did not answer to {name}: {error}") from None


def await_model(url: str, tag: str, digest: str) -> None:
    """Wait until every worker of a service answers by a model.

    Each question goes over a connection of its own, since a connection stays with one worker.

    Args:
        url: The address of the service.
        tag: Of the model, as it was pinned.
        digest: Of its bundle.

    Raises:
        ServiceError: A worker has refused the model, the service does not answer, or `PATIENCE`
            has run out.
    """
    deadline = time.monotonic() + PATIENCE
    settled = time.monotonic() + SETTLED
    taken: set[int] = set()
    row = 0
    found = "no answer"
    while time.monotonic() < deadline:
        try:
            card = _card(url)
        except NO_ANSWER as error:
            found = f"it does not answer ({error})"
        else:
            if (card["tag"], card["bundle_digest"]) == (tag, digest):
                taken.add(card["worker"])
                row += 1
                found = f"{len(taken)} of {card['workers']} workers have it"
                if len(taken) >= card["workers"] or row >= IN_A_ROW:
                    return
            elif time.monotonic() > settled and (refused := _refused(card, tag)):
                raise ServiceError(
                    f"the service at {url} does not come up with {tag} ({refused}) and stays with "
                    f"version {card['version']}"
                )
            else:
                row = 0
                found = f"it answers by version {card['version']}"
        time.sleep(PAUSE)
    raise ServiceError(
        f"the service at {url} did not take up {tag} within {PATIENCE:.0f} s: "
        f"{found}; see its log, and whether it follows this bentofile.yaml"
    )


def _refused(card: Mapping[str, Any], tag: str) -> str:
    refused = card["refused"]
    return str(refused["reason"]) if refused and refused["tag"] == tag else ""


def _card(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(_request(url, "model"), timeout=5) as answer:  # noqa: S310
            card: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        raise
    if not isinstance(card, dict) or not card.keys() >= EXPECTED:
        raise ValueError("what answers there is no service of Vitrine's")
    return card


def _request(url: str, route: str) -> urllib.request.Request:
    request = urllib.request.Request(f"{url.rstrip('/')}/{route}")  # noqa: S310 - a person gave it
    if key := os.environ.get(KEY):
        request.add_header("X-Api-Key", key)
    return request
