"""Links into the team's MLflow, for people who read of a run elsewhere."""

import os
from urllib.parse import quote, urlsplit, urlunsplit

from vitrine.core.markdown import plain

_SAFE = ":/?#[]@!$&'*+,;=%~"


def link(text: str, address: str) -> str:
    """Return a link in Markdown.

    Args:
        text: What is shown, any text.
        address: Where it leads to.
    """
    return f"[{plain(text)}](<{quote(address, safe=_SAFE)}>)"


def version_link(name: str, number: str) -> str:
    """Return `version 3`, linked to its page where the team's MLflow has one."""
    text, root = f"version {number}", _root()
    return link(text, f"{root}/#/models/{quote(name, safe='')}/versions/{number}") if root else text


def run_link(run_id: str) -> str:
    """Return a run's id, linked to its page where the team's MLflow has one."""
    root = _root()
    return link(run_id, f"{root}/#/runs/{quote(run_id, safe='')}") if root else plain(run_id)


def is_kept() -> bool:
    """Return whether what was registered outlives this process: not in a file of CI's machine."""
    return _root() is not None or not os.environ.get("CI")


def _root() -> str | None:
    """Return the address of MLflow's pages without who may see them; None where it is a file."""
    parts = urlsplit(os.environ.get("MLFLOW_TRACKING_URI", ""))
    if parts.scheme not in ("http", "https"):
        return None
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
