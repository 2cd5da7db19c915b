"""The workers of a server take its connections evenly.

They share one listening socket. Left alone, whichever wakes first takes all that wait there: of 32
connections two workers may get 27 and 5, and a request beside 26 others waits five times as long.
"""

import asyncio
import mmap
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn.config
import uvloop

from vitrine.core.errors import ServiceError
from vitrine.serving.claims import claim, unheld
from vitrine.serving.counting import FOLDER

PATIENCE = 0.003
"""Seconds that a connection is left to workers that have fewer."""
PAUSE = 1.0
"""Seconds until the next attempt when the system gives no more connections."""
SLOTS = 512
SLOT_BYTES = 8


class Tally:
    """How many connections each worker of a server has; each writes its own number only.

    Args:
        folder: What the workers share.

    Raises:
        OSError: There is no room for the file, or the folder is gone.
    """

    def __init__(self, folder: Path) -> None:
        self._place = folder / "connections"
        self._place.mkdir(exist_ok=True)
        self._slot = claim(self._place).number % SLOTS
        file = os.open(self._place / "tally", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, SLOTS * SLOT_BYTES)
            self._counts = memoryview(mmap.mmap(file, SLOTS * SLOT_BYTES)).cast("q")
        finally:
            os.close(file)
        self.note(0)

    def note(self, connections: int) -> None:
        """Tell the others how many this worker has."""
        # 0 is a worker that never was, or is gone.
        self._counts[self._slot] = connections + 1

    def leave(self) -> None:
        """Tell the others that this worker takes no more."""
        self._counts[self._slot] = 0

    def forget_dead(self) -> None:
        """Let nobody wait for workers that have died."""
        for dead in unheld(self._place):
            self._counts[dead.number % SLOTS] = 0
            dead.free()

    def others_have_fewer(self) -> bool:
        """Whether a worker has fewer than this one."""
        own = self._counts[self._slot]
        return any(0 < count < own for count in self._counts)


class Acceptor:
    """Takes connections one by one, and leaves them for a moment to workers that have fewer.

    Args:
        loop: Of this worker.
        listener: The socket that the workers share; it listens.
        connect: Makes a protocol for an accepted connection.
        tally: What the workers tell each other.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: socket.socket,
        connect: Callable[[socket.socket], Any],
        tally: Tally,
    ) -> None:
        self._loop = loop
        self._listener = listener
        self._connect = connect
        self._tally = tally
        self._open: set[Any] = set()
        self._coming: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._watch()

    def close(self) -> None:
        """Take no more."""
        self._loop.remove_reader(self._listener)
        if self._timer:
            self._timer.cancel()
        self._tally.leave()

    async def wait_closed(self) -> None:
        """Return at once: the connections are not the acceptor's."""

    def _watch(self) -> None:
        self._loop.add_reader(self._listener, self._knocked)

    def _knocked(self) -> None:
        self._note()
        if self._tally.others_have_fewer():
            self._later(PATIENCE, self._overdue)
        else:
            self._take()

    def _overdue(self) -> None:
        # Nobody with fewer has come for it; perhaps nobody is there.
        with suppress(OSError):
            self._tally.forget_dead()
        self._take()

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        def resume() -> None:
            self._watch()
            action()

        self._loop.remove_reader(self._listener)
        self._timer = self._loop.call_later(seconds, resume)

    def _take(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker took it, or it is gone
        except OSError:
            # No more files, say. The others still take some, and connections end.
            self._later(PAUSE, self._note)
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._connect(connection))
        self._coming.add(task)
        task.add_done_callback(self._came)
        self._note()

    def _came(self, task: asyncio.Task[Any]) -> None:
        self._coming.discard(task)
        if not task.cancelled() and task.exception() is None:
            _, protocol = task.result()
            # uvicorn's own set of the protocols whose connections are open.
            self._open = protocol.connections

    def _note(self) -> None:
        self._tally.note(len(self._open) + len(self._coming))


class EvenLoop(uvloop.Loop):
    """An event loop whose servers share the connections with the other workers."""

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], Any], *, sock: socket.socket, backlog: int, ssl: Any
    ) -> Acceptor:
        """Serve on a socket that other workers may serve on, too.

        Raises:
            ServiceError: The workers' folder is gone, or has no room.
        """
        folder = os.environ[FOLDER]
        try:
            tally = Tally(Path(folder))
        except OSError as error:
            raise ServiceError(
                f"connections cannot be shared in {folder}: {error}; make room there"
            ) from None
        sock.listen(backlog)
        sock.setblocking(False)

        async def connect(connection: socket.socket) -> Any:
            return await self.connect_accepted_socket(protocol_factory, connection, ssl=ssl)

        return Acceptor(self, sock, connect, tally)


def even_loop(use_subprocess: bool = False) -> type[EvenLoop]:  # noqa: ARG001 - uvicorn gives it
    """Return what makes a worker's loop."""
    return EvenLoop


def share_connections() -> None:
    """Let uvicorn take this loop where it chooses one itself, as under `bentoml serve`."""
    uvicorn.config.LOOP_FACTORIES["auto"] = f"{__name__}:{even_loop.__name__}"
