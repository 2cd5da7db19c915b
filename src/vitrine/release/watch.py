"""The watcher: looks again and again whether MLflow's champion is what is in service."""

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from vitrine.core.errors import ReleaseError, VitrineError
from vitrine.release.dispatch import Dispatch
from vitrine.release.reconcile import Reconciled, reconcile
from vitrine.release.webhook import SECRET, receiver
from vitrine.tracking import ensure_webhook


@dataclass(frozen=True, slots=True)
class Watch:
    """How to watch.

    Args:
        name: Of the registered model.
        every: Seconds between two looks.
        service: The address of a running service that must take a new version up; empty for none.
        webhook: The address under which MLflow's webhook reaches this process; empty for none.
        dispatch: The repository on GitHub that is told of each version in service, `OWNER/REPO`;
            empty for none.
    """

    name: str
    every: float
    service: str
    webhook: str
    dispatch: str

    def run(self, say: Callable[[str], None], stop: threading.Event) -> None:
        """Look until `stop` is set. What goes wrong is said once, and tried again.

        Args:
            say: Gets a line, or several, whenever something new is found.
            stop: Ends the watching after the present look.

        Raises:
            ReleaseError: A webhook is wanted without a secret, or its port cannot be listened on;
                or GitHub is to be told without a token.
            TrackingError: The server does not take the webhook.
        """
        wake = threading.Event()
        dispatch = Dispatch(self.dispatch) if self.dispatch else None
        with ExitStack() as stack:
            if self.webhook:
                secret = _secret()
                stack.enter_context(receiver(self.webhook, secret, wake))
                if trouble := ensure_webhook(self.webhook, secret):
                    say(f"MLflow does not reach {self.webhook} ({trouble}): only polling")
            found = told = ""
            owed = True
            while not stop.is_set():
                wake.clear()
                now, sure = self._look()
                if now != found:
                    say(f"{datetime.now():%H:%M:%S} {now}")
                    found, owed = now, True
                if dispatch and owed and sure:
                    now, owed = self._tell(dispatch)
                    if now and now != told:
                        say(f"{datetime.now():%H:%M:%S} {now}")
                    told = now
                _rest(self.every, wake, stop)

    def _look(self) -> tuple[str, bool]:
        """Return what was found, and whether it could be found out."""
        try:
            found = reconcile(self.name, self.service, repackage=False)
        except (VitrineError, OSError) as error:
            return self._again(error), False
        return _words(found), True

    def _tell(self, dispatch: Dispatch) -> tuple[str, bool]:
        """Return what GitHub was told, and whether that has to be tried again."""
        try:
            return dispatch.tell(self.name), False
        except VitrineError as error:
            return self._again(error), True

    def _again(self, error: Exception) -> str:
        return f"error: {error}; trying again every {self.every:g} s"


def _words(found: Reconciled) -> str:
    return found.text if found.state in ("none", "in place") else f"{found.state}: {found.text}"


def _rest(seconds: float, wake: threading.Event, stop: threading.Event) -> None:
    # A signal sets `stop` while this waits for `wake`: looked at every half second.
    left = seconds
    while left > 0 and not stop.is_set() and not wake.wait(min(left, 0.5)):
        left -= 0.5


def _secret() -> str:
    secret = os.environ.get(SECRET, "")
    if not secret:
        raise ReleaseError(
            f"--webhook needs a secret that MLflow signs its deliveries with: set {SECRET} to a "
            "long random text, `openssl rand -hex 32` say"
        )
    return secret
