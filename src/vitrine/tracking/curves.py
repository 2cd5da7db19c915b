"""Numbers that are logged beside a training, which never waits for the tracking server."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vitrine.core.errors import TrackingError
from vitrine.tracking.runs import BATCH, Run
from vitrine.tracking.store import client, speaking

if TYPE_CHECKING:
    from mlflow.entities import Metric

ROOM = 20_000
"""How many numbers are kept while the server does not answer; then the oldest are given up."""
AGAIN = 10.0
"""Seconds after which a server that failed is tried again."""
FAREWELL = 20.0
"""Seconds that the end waits for what is still to be logged."""


class Curves:
    """Logs numbers to a run from a thread of its own, in few requests.

    Not MLflow's own asynchronous logging, which gives numbers up when a server is down for some
    minutes, and at the end waits for it without a limit.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: deque[Metric] = deque()
        self._sending: list[Metric] = []
        self._given_up = 0
        self._reason = ""
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="curves", daemon=True)
        self._thread.start()

    def add(self, metrics: Mapping[str, float], step: int, when: int | None = None) -> None:
        """Log numbers as soon as the server takes them; never waits and never fails.

        Args:
            metrics: The numbers, by name.
            step: What they belong to.
            when: Milliseconds since 1970; None = now.
        """
        from mlflow.entities import Metric

        at = int(time.time() * 1000) if when is None else when
        with self._changed:
            self._waiting.extend(Metric(key, float(v), at, step) for key, v in metrics.items())
            while len(self._waiting) > ROOM:
                self._waiting.popleft()
                self._given_up += 1
            self._changed.notify()

    def close(self) -> str:
        """Wait for what is not logged yet, but no longer than `FAREWELL`.

        Returns:
            How many numbers were lost, or may be, and why; empty if none was.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(FAREWELL)
        with self._changed:
            lost = self._given_up + len(self._sending) + len(self._waiting)
            reason = self._reason or "MLflow was too slow"
        if self._thread.is_alive():
            fate, reason = "confirmed", f"MLflow did not answer within {FAREWELL:.0f} seconds"
        else:
            fate = "logged"
        return f"{lost} numbers of the curves were not {fate}: {reason}" if lost else ""

    def _work(self) -> None:
        while self._take():
            last = self._closing
            try:
                with speaking():
                    client().log_batch(self._run.id, metrics=self._sending)
            # Whatever it is, a thread that ends of it would lose all that comes after.
            except Exception as error:
                known = isinstance(error, TrackingError)
                self._give_back(str(error) if known else f"{type(error).__name__}: {error}")
                if last:
                    return

    def _take(self) -> bool:
        """Wait for numbers and take some to be sent; False where no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            count = min(BATCH, len(self._waiting))
            self._sending = [self._waiting.popleft() for _ in range(count)]
            return bool(self._sending)

    def _give_back(self, reason: str) -> None:
        with self._changed:
            self._reason = reason
            self._waiting.extendleft(reversed(self._sending))
            self._sending = []
            self._changed.wait_for(lambda: self._closing, AGAIN)
