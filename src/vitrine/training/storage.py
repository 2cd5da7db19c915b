"""Where the study of a search is kept: a file of this machine, or a database that several share."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    SQLAlchemyError,
)

from vitrine.core.errors import ParamsError, StudyError

LOCAL = "local"
"""The value of `tune.storage` for a file of this machine."""
STORAGE = "VITRINE_TUNE_STORAGE"
"""The environment variable that comes before `tune.storage`, and may hold a password."""
HEARTBEAT = 5
"""A worker says so often that its trial is alive: seconds."""
GRACE = 30
"""A trial whose worker has been silent for so long is given to another one: seconds."""
RETRIES = 3
"""A trial that has lost its worker so often and loses it again is given up."""
ATTEMPTS = 10
"""How often a worker tries to open a database whose tables another one is making."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a study is.

    Args:
        url: Of the database; it may hold a password.
        name: Of the study.
        file: The database's file, which is deleted after the search; None for one of others.
    """

    url: str = field(repr=False)
    name: str
    file: Path | None

    @property
    def lock(self) -> Path | None:
        """The file that a worker locks while it takes a trial; None where the database can do it.

        SQLite would give one trial to two workers.
        """
        url = make_url(self.url)
        return Path(f"{url.database}.lock") if url.get_backend_name() == "sqlite" else None

    def delete(self) -> None:
        """Delete a file of this machine, so that the next search begins anew."""
        if self.file and self.lock:
            self.file.unlink()
            self.lock.unlink()

    def __str__(self) -> str:
        if self.file:
            return str(self.file)
        url = make_url(self.url)
        return str(URL.create(url.drivername, host=url.host, port=url.port, database=url.database))


def locate(storage: str, folder: Path, name: str) -> Place:
    """Return where a study is.

    Args:
        storage: `tune.storage`: local, or a URL without a password.
        folder: For the file.
        name: Of the study.

    Raises:
        ParamsError: The storage is no URL, or a password stands in params.yaml.
    """
    said = os.environ.get(STORAGE)
    url = said or storage
    if url == LOCAL:
        file = folder / f"{name}.db"
        return Place(f"sqlite:///{file}", name, file)
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ParamsError(
            f"{STORAGE if said else 'tune.storage'} must be {LOCAL} or a URL such as "
            "postgresql+psycopg2://user@host/database; correct it"
        ) from None
    if not said and (parsed.password or "password" in parsed.query):
        raise ParamsError(
            "tune.storage holds a password, and params.yaml is committed: take it out there, and "
            f"put the whole URL into the environment variable {STORAGE}"
        )
    return Place(url, name, None)


def open_storage(place: Place) -> optuna.storages.RDBStorage:
    """Connect to the database; its tables are made if they are not there.

    Raises:
        StudyError: The driver is missing, or the database refuses or does not answer.
    """
    with speaking(place):
        for _ in range(ATTEMPTS):
            try:
                return _connect(place)
            except DBAPIError as error:
                if not (isinstance(error, IntegrityError) or "already exists" in str(error)):
                    raise
                # Another worker is making the tables.
                time.sleep(0.2)
        return _connect(place)


def _connect(place: Place) -> optuna.storages.RDBStorage:
    if place.file:
        place.file.parent.mkdir(parents=True, exist_ok=True)
    waiting = {"connect_args": {"timeout": 60}}
    return optuna.storages.RDBStorage(
        place.url,
        engine_kwargs=waiting if place.url.startswith("sqlite") else {"pool_pre_ping": True},
        heartbeat_interval=HEARTBEAT,
        grace_period=GRACE,
        heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(RETRIES),
    )


@contextmanager
def speaking(place: Place) -> Iterator[None]:
    """Turn what the database raises inside the block into one line without its password.

    Raises:
        StudyError: The database refused, failed or did not answer.
    """
    try:
        yield
    except (ImportError, NoSuchModuleError) as error:
        driver = make_url(place.url).drivername
        raise StudyError(
            f"the driver of {driver}, in which the study is kept, is not installed; install it "
            "beside Vitrine (psycopg2-binary for postgresql+psycopg2)"
        ) from error
    except (SQLAlchemyError, StorageInternalError) as error:
        mend = "; start or correct it, and run this again: the search goes on"
        raise StudyError(f"the study at {place} failed: {_reason(place, error)}{mend}") from error


def _reason(place: Place, error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    said = str(cause.orig if isinstance(cause, DBAPIError) else cause).strip()
    line = said.partition("\n")[0]
    password = make_url(place.url).password
    return line.replace(password, "***") if password else line
