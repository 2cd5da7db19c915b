"""`vitrine package`."""


def command() -> None:
    """Put the champion into BentoML's store."""
