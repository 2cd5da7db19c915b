"""Taking up another model while the present one answers, as the pin in bentofile.yaml says."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import anyio
import anyio.to_thread

from vitrine.core.errors import VitrineError
from vitrine.core.pin import pinned_tag
from vitrine.serving.engine import Engine
from vitrine.serving.model import PackagedModel
from vitrine.serving.schemas import Refusal
from vitrine.serving.settings import Settings

LOOK_SECONDS = 1.0
RETRY_SECONDS = 10.0
"""Between two tries of a model that is not in the store: it may still be on its way."""

# Below BentoML's own logger, which writes to the service's log from level INFO on.
logger = logging.getLogger("bentoml.vitrine")


@dataclass(frozen=True, slots=True)
class Pin:
    """What is followed.

    Args:
        path: The bentofile.
        resolve: Finds the model of a tag; None when it is not in the store. May raise a
            `VitrineError`.
    """

    path: Path
    resolve: Callable[[str], PackagedModel | None]


class Follower:
    """Looks at a pin and lets an engine answer with what it names.

    A model that cannot be taken up leaves the present one answering: that is logged once, kept in
    the engine's `refused`, and tried again when the file changes.

    Args:
        pin: What is followed.
        engine: Whose model is replaced.
        settings: How models are opened.
    """

    def __init__(self, pin: Pin, engine: Engine, settings: Settings) -> None:
        self._pin = pin
        self._engine = engine
        self._settings = settings
        self._seen: tuple[int, ...] | None = None
        self._retry_at = math.inf

    async def run(self) -> NoReturn:
        """Look every second, in a thread, until cancelled."""
        while True:
            await anyio.sleep(LOOK_SECONDS)
            await anyio.to_thread.run_sync(self.look)

    def look(self) -> None:
        """Take up what is pinned if the file has changed since the last look. Never raises."""
        state = _state(self._pin.path)
        if state == self._seen and time.monotonic() < self._retry_at:
            return
        self._seen, self._retry_at = state, math.inf
        tag = None
        try:
            tag = pinned_tag(self._pin.path)
            self._follow(tag)
        except VitrineError as error:
            self._refuse(tag, str(error))
        except Exception as error:
            logger.exception("a fault of Vitrine's own while %s was taken up", tag)
            self._refuse(tag, f"{type(error).__name__}: {error}")

    def _follow(self, tag: str | None) -> None:
        old = self._engine.model.packaged.tag
        if tag is None:
            self._refuse(tag, f"{self._pin.path} pins no model; run `vitrine package`")
        elif tag == old:
            self._engine.refused = None
        elif (packaged := self._pin.resolve(tag)) is None:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            self._refuse(tag, f"{tag} is not in BentoML's store; run `vitrine package`")
        else:
            # What was refused before is tried anew: whoever waits must not take it for the outcome.
            self._engine.refused = None
            self._engine.take_up(packaged.open(self._settings))
            logger.info("%s now answers, in the place of %s", tag, old)

    def _refuse(self, tag: str | None, reason: str) -> None:
        refusal = Refusal(tag=tag, reason=reason)
        if refusal != self._engine.refused:
            self._engine.refused = refusal
            present = self._engine.model.packaged.tag
            logger.error("%s still answers, what is pinned was refused: %s", present, reason)


def _state(path: Path) -> tuple[int, ...]:
    try:
        stat = path.stat()
    except OSError:
        return ()
    return (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_size)
