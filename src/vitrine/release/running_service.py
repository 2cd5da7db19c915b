"""A service that runs already: whether it has taken up the model that was pinned for it."""

import http.client
import json
import os
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from vitrine.core.errors import ReleaseError, ServiceError

KEY = "VITRINE_API_KEY"
"""The variable with the key of a service that asks for one."""
PATIENCE = 60.0
"""Seconds that a service has to take a model up."""
PAUSE = 0.1
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
    request = urllib.request.Request(f"{url.rstrip('/')}/model")  # noqa: S310 - a person gave it
    if key := os.environ.get(KEY):
        request.add_header("X-Api-Key", key)
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        card: dict[str, Any] = json.load(answer)
    if not isinstance(card, dict) or not card.keys() >= EXPECTED:
        raise ValueError("what answers there is no service of Vitrine's")
    return card
