"""`vitrine promote`."""


def command() -> None:
    """Give a version the alias champion."""
