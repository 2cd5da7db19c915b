"""`vitrine key`."""

from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(help="Whose key it is, such as shop.")],
) -> None:
    """Make a key for the service; it is shown once and kept nowhere."""
    from vitrine.serving.keys import new_key

    secret, key = new_key(name)
    typer.echo(f"for its owner, sent as the header X-Api-Key: {secret}")
    typer.echo(f"for VITRINE_SERVING_KEYS, with a comma between several: {key}")
