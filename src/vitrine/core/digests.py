"""Digests that tie a model to the exact data, parameters and files that made it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from vitrine.core.errors import DataError


def bytes_digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hex (64 characters)."""
    return hashlib.sha256(data).hexdigest()


def dvc_digest(data: bytes) -> str:
    """Return the MD5 of some bytes in hex (32 characters): what DVC calls a file."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex (64 characters), read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-like value, independent of the order of keys."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return bytes_digest(canonical.encode())


def folder_digest(folder: Path, names: list[str]) -> str:
    """Return one SHA-256 over the named files of a folder: their names and their contents."""
    return json_digest({name: file_digest(folder / name) for name in sorted(names)})


def data_digest(pointer: Path = Path("data.dvc")) -> str:
    """Return the digest of the data version that a DVC pointer file names.

    Raises:
        DataError: The pointer is missing or does not name exactly one versioned output.
    """
    try:
        outs = yaml.safe_load(pointer.read_text(encoding="utf-8"))["outs"]
        return str(outs[0]["md5"])
    except FileNotFoundError:
        raise DataError(
            f"{pointer} is missing: version the data with `dvc add data` first"
        ) from None
    except (KeyError, IndexError, TypeError, yaml.YAMLError):
        raise DataError(
            f"{pointer} does not name a versioned folder: make it anew with `dvc add data`"
        ) from None
