"""The errors that Vitrine raises on purpose.

Every message says what is wrong, what was found and what to do. The command line prints it as one
line and exits with status 1; anything that is not a `VitrineError` is a bug and shows a traceback.
"""


class VitrineError(Exception):
    """Base of all errors that a user can cause and mend."""


class ParamsError(VitrineError):
    """params.yaml is missing, malformed, or holds a key or value that is not allowed."""


class DataError(VitrineError):
    """The data folder (manifest, taxonomy or images) breaks its contract."""


class ImageError(DataError):
    """One image cannot be used.

    Args:
        name: Which image: a path, or the name that a client gave.
        reason: Why it cannot be used, in words, without the name.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class ImageTooLarge(ImageError):
    """One image has more bytes or pixels than a limit allows."""


class ImportFailed(DataError):
    """A source cannot be imported into the data folder."""


class ValidationFailed(DataError):
    """The data does not meet an expectation of severity error."""


class PreparedDataError(VitrineError):
    """The prepared shards are missing, damaged, or do not fit what reads them."""


class StudyError(VitrineError):
    """The study of a search cannot be opened, read or written."""


class ModelError(VitrineError):
    """A network cannot be built, loaded or trained as asked."""


class BundleError(VitrineError):
    """A bundle is missing, damaged, or does not answer as it did when it was exported."""


class TrackingError(VitrineError):
    """The MLflow tracking server or registry cannot be used."""


class ReleaseError(VitrineError):
    """A model version cannot be registered, promoted or packaged."""


class ServiceError(VitrineError):
    """The service cannot start, or not take up what is pinned."""
