"""API keys: the service knows each by the hash of it alone."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from vitrine.core.errors import ServiceError

NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")
DIGEST = re.compile(r"[0-9a-f]{64}")
FORM = "must be NAME:SHA256 pairs with a comma between, as `vitrine key NAME` prints them"


@dataclass(frozen=True, slots=True)
class Key:
    """A key that opens the service.

    The key itself is random and long, so that a plain hash of it cannot be turned back.

    Args:
        name: Whose it is; may be logged. Two keys of one name serve while one replaces the other.
        digest: The SHA-256 of the key, 64 lower-case hexadecimal digits.
    """

    name: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one key from `NAME:SHA256`.

        Raises:
            ValueError: The text has another form. It is not repeated: it may be a key itself.
        """
        name, _, digest = text.strip().partition(":")
        if not (NAME.fullmatch(name) and DIGEST.fullmatch(digest)):
            raise ValueError(FORM)
        return cls(name, digest)

    def __str__(self) -> str:
        return f"{self.name}:{self.digest}"


def parse_keys(text: str) -> tuple[Key, ...]:
    """Read the keys from `NAME:SHA256,NAME:SHA256`; an empty text holds none.

    Raises:
        ValueError: The text has another form.
    """
    return tuple(Key.parse(part) for part in text.split(",")) if text.strip() else ()


def new_key(name: str) -> tuple[str, Key]:
    """Make a key of 256 random bits; give what its owner sends, and what the service is told.

    Raises:
        ServiceError: The name cannot be one.
    """
    if not NAME.fullmatch(name):
        raise ServiceError(
            f"a key's name must be 1 to 40 letters, digits, '.', '_' or '-', but got {name!r}"
        )
    secret = secrets.token_urlsafe(32)
    return secret, Key(name, hash_of(secret.encode()))


def hash_of(secret: bytes) -> str:
    """Return the SHA-256 of a key, as hexadecimal digits."""
    return hashlib.sha256(secret).hexdigest()


def matching(keys: Iterable[Key], secret: bytes) -> Key | None:
    """Return the key that a request brings, or None.

    All are compared, each in the same time, so that the time tells nothing about any.
    """
    digest = hash_of(secret)
    found = None
    for key in keys:
        if hmac.compare_digest(key.digest, digest):
            found = key
    return found
