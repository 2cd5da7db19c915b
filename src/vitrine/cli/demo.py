"""`vitrine demo`."""


def command() -> None:
    """Draw the demo catalogue."""
