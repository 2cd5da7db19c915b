"""What `dvc repro` or `dvc exp run` did, read from what it printed (DVC 3.67)."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_RUNNING = re.compile(r"Running stage '(?P<stage>[^']+)':$")
_RESTORED = re.compile(r"Stage '(?P<stage>[^']+)' is cached - skipping run, checking out outputs$")
_UNCHANGED = re.compile(r"Stage '(?P<stage>[^']+)' didn't change, skipping$")
_RECORDED = re.compile(r"(Updating|Generating) lock file '")
"""What follows a stage that ran to its end."""
_FAILED = re.compile(r"ERROR: failed to reproduce '(?P<stage>[^']+)'")
_ERROR = re.compile(r"ERROR: ")
_OURS = "error: "
"""How a command of vitrine begins its error, where it stopped before DVC began."""
_UNKEPT = re.compile(r"ERROR: failed to push")
_ENDS = (
    "Data and pipelines are up to date.",
    "Use `dvc push` to send your updates to remote storage.",
    "Experiment results have been applied to your workspace.",
)
"""What `dvc repro` and `dvc exp run` say last."""
_COLORS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_BAR = re.compile(r"\[\d+:\d\d[<,]")
"""The clock in a bar of progress that stays on the terminal."""
_FIRST, _LAST = 20, 40
_WIDTH = 300


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What a run of the pipeline did, stage by stage.

    Attributes:
        ran: The stages that ran to their end.
        restored: Those whose outputs an earlier run with the same inputs had left.
        unchanged: Those that had nothing to do.
        failed: The stage that failed; None where none did.
        begun: The stage that was at work when the log breaks off; None where none was.
        broken: Whether DVC printed an error, or what stopped before it began.
        unkept: Whether outputs could not be pushed.
        ended: Whether DVC came to the end of the pipeline.
        said: The first and the last lines of the failed or unfinished stage, or else of DVC.
    """

    ran: tuple[str, ...]
    restored: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: str | None
    begun: str | None
    broken: bool
    unkept: bool
    ended: bool
    said: tuple[str, ...]

    @property
    def made(self) -> tuple[str, ...]:
        """The stages whose outputs came with this run and were not only left from before."""
        return *self.ran, *self.restored

    @property
    def known(self) -> bool:
        """Whether DVC has named a stage."""
        return bool(self.made or self.unchanged or self.failed or self.begun)

    @classmethod
    def read(cls, path: Path) -> "Reproduction | None":
        """Read a log; None where there is none or DVC has not said anything in it."""
        reader = _Reader()
        try:
            with path.open(encoding="utf-8", errors="replace", newline="") as file:
                for line in _lines(file):
                    reader.take(line)
        except OSError:
            return None
        return reader.result() if reader.lines else None


class _Reader:
    def __init__(self) -> None:
        self.lines = 0
        self._done: dict[str, list[str]] = {"ran": [], "restored": [], "unchanged": []}
        self._running: str | None = None
        self._failed: str | None = None
        self._broken = self._unkept = self._ended = False
        self._excerpt = _Excerpt()

    def take(self, line: str) -> None:
        """Take notice of the next line."""
        self.lines += 1
        running, failed = _RUNNING.match(line), _FAILED.match(line)
        restored, unchanged = _RESTORED.match(line), _UNCHANGED.match(line)
        if running or restored or unchanged or _RECORDED.match(line):
            self._close()
            self._excerpt = _Excerpt()
        if running:
            self._running = running["stage"]
        elif restored:
            self._done["restored"].append(restored["stage"])
        elif unchanged:
            self._done["unchanged"].append(unchanged["stage"])
        elif failed:
            self._failed, self._running = failed["stage"], None
        began = self._running or self._failed or any(self._done.values())
        self._broken |= bool(_ERROR.match(line)) or (not began and line.startswith(_OURS))
        self._unkept |= bool(_UNKEPT.match(line))
        self._ended = self._ended or line in _ENDS
        self._excerpt.add(line)

    def _close(self) -> None:
        if self._running is not None:
            self._done["ran"].append(self._running)
            self._running = None

    def result(self) -> Reproduction:
        """Return what was noticed."""
        return Reproduction(
            **{how: tuple(stages) for how, stages in self._done.items()},
            failed=self._failed,
            begun=self._running,
            broken=self._broken,
            unkept=self._unkept,
            ended=self._ended,
            said=self._excerpt.lines(),
        )


class _Excerpt:
    """The first and the last lines of a text of any length: causes come first, tracebacks last."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=_LAST)
        self._left = 0

    def add(self, line: str) -> None:
        if len(self._first) < _FIRST:
            self._first.append(line)
        else:
            self._left += len(self._last) == _LAST
            self._last.append(line)

    def lines(self) -> tuple[str, ...]:
        left = [f"… {self._left:,} lines left out …"] if self._left else []
        return (*self._first, *left, *self._last)


def _lines(file: Iterator[str]) -> Iterator[str]:
    """Yield the lines that stay on a terminal, without colours and bars of progress."""
    for raw in file:
        # What a carriage return ends is written over by what comes after it.
        if raw.endswith("\r"):
            continue
        line = _COLORS.sub("", raw.rstrip())
        if not _BAR.search(line):
            yield line if len(line) <= _WIDTH else f"{line[:_WIDTH]} …"
