"""Telling GitHub which version is in service now, so that a workflow makes an image of it."""

import http.client
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime

from vitrine import tracking
from vitrine.core.errors import ReleaseError
from vitrine.release.history import in_service

TOKEN = "GITHUB_TOKEN"  # noqa: S105 - the variable's name
API = "GITHUB_API_URL"
PUBLIC_API = "https://api.github.com"
EVENT = "model-promoted"
TOLD = "dispatched"
"""The tag of a version that says where and when it was told."""
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
TAKEN = 204
SECONDS = 10.0
"""How long GitHub may take to answer."""
LONGEST = 200
"""Characters of what GitHub says that a message holds."""


class Dispatch:
    """What tells a repository on GitHub, by an event that starts its workflows.

    That a version was told is noted on it in the registry, so that a watcher that starts anew
    neither forgets a version nor tells it twice.

    Args:
        repository: `OWNER/REPO`.

    Raises:
        ReleaseError: The repository is not named so, or the environment holds no token.
    """

    def __init__(self, repository: str) -> None:
        if not REPOSITORY.fullmatch(repository):
            raise ReleaseError(f"--dispatch must be OWNER/REPO, but got {repository!r}")
        token = os.environ.get(TOKEN, "")
        if not token:
            raise ReleaseError(
                f"--dispatch needs a token of GitHub's: set {TOKEN} to one that may write the "
                f"contents of {repository}"
            )
        api = os.environ.get(API) or PUBLIC_API
        self._repository = repository
        self._url = f"{api.rstrip('/')}/repos/{repository}/dispatches"
        self._token = token
        self._taken: set[str] = set()

    def tell(self, name: str) -> str:
        """Tell of the version in service, unless the repository knows of it.

        Args:
            name: Of the registered model.

        Returns:
            What was told, in words; empty when there was nothing to tell.

        Raises:
            ReleaseError: GitHub does not answer, or does not take it.
            TrackingError: MLflow does not answer.
        """
        accepted = in_service(tracking.releases(name))
        version = tracking.find_version(name, accepted[-1].version) if accepted else None
        if version is None or version.tags.get(TOLD, "").startswith(f"{self._repository} "):
            return ""
        if version.number not in self._taken:
            self._send(
                {
                    "model": name,
                    "version": version.number,
                    "bundle_digest": version.bundle_digest,
                }
            )
            self._taken.add(version.number)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        tracking.set_version_tags(name, version.number, {TOLD: f"{self._repository} {at}"})
        return f"GitHub was told: {self._repository} makes an image of version {version.number}"

    def _send(self, payload: Mapping[str, str]) -> None:
        document = {"event_type": EVENT, "client_payload": payload}
        request = urllib.request.Request(  # noqa: S310 - a person gave it
            self._url,
            data=json.dumps(document).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        # Not sent on to another host, should this one lead there.
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                if answer.status == TAKEN:
                    return
                said = f"answered {answer.status}"
        except urllib.error.HTTPError as error:
            with error:
                text = error.read(LONGEST).decode(errors="replace")
            said = f"answered {error.code} {text}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            said = f"does not answer ({error})"
        raise ReleaseError(
            f"GitHub was not told of version {payload['version']}: {self._url} {said.strip()}; see "
            f"whether it is reached, and whether {TOKEN} may write the contents of "
            f"{self._repository}"
        )
