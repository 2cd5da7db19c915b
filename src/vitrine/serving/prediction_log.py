"""A log of what was answered, from which drift can be found later; serving never waits for it.

Each line of `predictions-<worker>-<number>.jsonl` is one answered image, a JSON object:

- `time`: when, seconds since 1970 in UTC
- `request_id`: the answer's
- `version`, `bundle_digest`: the model's
- `style`, `category`: `{"label": …, "probability": …, "unsure": …}`, or null where the model has no
  such answer
- `bytes`, `width`, `height`: the size of the encoded image, and in pixels as it came
- `brightness`: mean luma of the pixels that the network saw, 0 to 255
- `embedding`: float32 numbers, little-endian, as base64, only with
  `VITRINE_SERVING_LOG_EMBEDDINGS`; digits would take four times the space, and much time
- `image`: the encoded image as base64, only with `VITRINE_SERVING_LOG_IMAGES`

A reader ignores what it does not know: later versions may add fields.
"""

import json
import logging
import random
import tempfile
import threading
import time
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.core.errors import DataError, ServiceError
from vitrine.serving.log_files import PATTERN, LogFiles
from vitrine.serving.metrics import Metrics
from vitrine.serving.settings import Settings

GATHER_SECONDS = 0.2
"""Entries of this time are written at once: a thread that wakes at each would cost the others."""

QUIET_SECONDS = 60.0
"""Without a loss, after which the log is said to be written again."""

CLOSE_SECONDS = 5.0

MAX_WAITING = 2_000
MAX_WAITING_BYTES = 64 * 2**20
"""Of images that wait to be written."""

FLOAT32 = np.dtype("<f4")

logger = logging.getLogger("bentoml.vitrine")


class PredictionLog:
    """Writes entries to files that rotate, in a thread of its own.

    What cannot be kept, for want of space or because too much waits, is dropped and counted; that
    is said once, and so is its end. A worker that is killed loses what it gathered last.

    Args:
        settings: Where, how much, and what share of the entries.
        metrics: Count what is dropped.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._share = settings.log_share if settings.log else 0.0
        self._metrics = metrics
        self._files = LogFiles(
            Path(settings.log), settings.log_megabytes * 2**20, settings.log_files
        )
        self._waiting: deque[Mapping[str, Any]] = deque()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._is_due = threading.Event()
        self._is_closed = threading.Event()
        self._failed_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)
        if settings.log:
            self._thread.start()

    def wants(self) -> bool:
        """Say whether the next answer belongs to the share that is kept: leave it to chance."""
        return random.random() < self._share  # noqa: S311 - a sample

    def write(self, entry: Mapping[str, Any]) -> None:
        """Take an entry; returns at once.

        Args:
            entry: Values for JSON; the embedding is an array of numpy, the image bytes.
        """
        size = len(entry.get("image") or b"")
        with self._lock:
            room = MAX_WAITING_BYTES - self._waiting_bytes
            is_taken = len(self._waiting) < MAX_WAITING and size <= room
            if is_taken:
                self._waiting.append(entry)
                self._waiting_bytes += size
        if is_taken:
            self._is_due.set()
        else:
            self._metrics.log_dropped(1)

    def close(self) -> None:
        """Write what waits, and end; a disk that hangs does not hold up the end for long."""
        self._is_closed.set()
        self._is_due.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            self._is_due.wait()
            self._is_due.clear()
            is_last = self._is_closed.wait(GATHER_SECONDS)
            while self._waiting:
                self._keep(self._next())
        self._files.close()

    def _next(self) -> Mapping[str, Any]:
        with self._lock:
            entry = self._waiting.popleft()
            self._waiting_bytes -= len(entry.get("image") or b"")
            return entry

    def _keep(self, entry: Mapping[str, Any]) -> None:
        try:
            self._files.append(json.dumps(entry, default=_text, ensure_ascii=False))
        except OSError as error:
            self._lost(error)
        except Exception:
            self._metrics.log_dropped(1)
            logger.exception("a fault of Vitrine's own in the prediction log")
        else:
            self._kept()

    def _lost(self, error: OSError) -> None:
        self._metrics.log_dropped(1)
        if self._failed_at is None:
            logger.error("entries of the prediction log are being lost: %s", error)
        self._failed_at = time.monotonic()

    def _kept(self) -> None:
        # Where little room is left, small entries are kept and large ones lost by turns.
        if self._failed_at is not None and time.monotonic() >= self._failed_at + QUIET_SECONDS:
            logger.info("the prediction log is written again")
            self._failed_at = None


def check_log(settings: Settings) -> None:
    """Refuse a folder for the log into which nothing can be written, before anything is served.

    Raises:
        ServiceError: It is one, or cannot be made.
    """
    if not settings.log:
        return
    try:
        Path(settings.log).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=settings.log).close()
    except OSError as error:
        raise ServiceError(
            f"no prediction log can be kept in {settings.log}: {error.strerror}; "
            "correct VITRINE_SERVING_LOG or the folder's permissions"
        ) from None


def read_log(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the entries of a log, file by file; the workers may be writing on.

    A last line that is not whole yet is left out. An embedding is an array again, and an image
    bytes.

    Raises:
        DataError: The folder holds no log, a file cannot be read, or a line is damaged.
    """
    files = sorted(folder.glob(PATTERN))
    if not files:
        raise DataError(f"{folder} holds no {PATTERN}; name the folder of VITRINE_SERVING_LOG")
    for path in files:
        try:
            yield from _read(path)
        except FileNotFoundError:
            # The oldest go while others are read.
            continue
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}") from None


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                entry = json.loads(line)
                if not isinstance(entry, dict):
                    raise TypeError("it holds no JSON object")
                if "embedding" in entry:
                    entry["embedding"] = np.frombuffer(b64decode(entry["embedding"]), FLOAT32)
                if "image" in entry:
                    entry["image"] = b64decode(entry["image"])
            except (ValueError, TypeError) as error:
                raise DataError(
                    f"{path} line {number} is damaged: {error}; delete the line or the file"
                ) from None
            yield entry


def _text(value: Any) -> str:
    match value:
        case np.ndarray():
            return b64encode(value.astype(FLOAT32).tobytes()).decode()
        case bytes():
            return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
