"""`vitrine import`."""

import typer

app = typer.Typer(help="Bring images and labels into data/.", no_args_is_help=True)
