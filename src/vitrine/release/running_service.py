"""A service that runs already: whether it has taken up the model that was pinned for it."""

import json
import time
import urllib.request
from typing import Any

from vitrine.core.errors import ServiceError

PATIENCE = 60.0
"""Seconds that a service has to take a model up."""
PAUSE = 0.1
IN_A_ROW = 50
"""So many answers by the new model, one after the other, stand for workers that do not show up."""


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
    taken: set[int] = set()
    row = 0
    found = "no answer"
    while time.monotonic() < deadline:
        try:
            card = _card(url)
        except (OSError, ValueError) as error:
            found = f"it does not answer ({error})"
        else:
            if card.get("bundle_digest") == digest:
                taken.add(card["worker"])
                row += 1
                found = f"{len(taken)} of {card['workers']} workers have it"
                if len(taken) >= card["workers"] or row >= IN_A_ROW:
                    return
            elif (refused := card.get("refused")) and refused["tag"] == tag:
                raise ServiceError(
                    f"the service at {url} does not come up with {tag} "
                    f"({refused['reason']}) and stays with version {card['version']}"
                )
            else:
                row = 0
                found = f"it answers by version {card.get('version')}"
        time.sleep(PAUSE)
    raise ServiceError(
        f"the service at {url} did not take up {tag} within {PATIENCE:.0f} s: "
        f"{found}; see its log, and whether it follows this bentofile.yaml"
    )


def _card(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url.rstrip('/')}/model", timeout=5) as answer:  # noqa: S310
        card: dict[str, Any] = json.load(answer)
    return card
