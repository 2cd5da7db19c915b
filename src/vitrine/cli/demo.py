"""`vitrine demo`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from vitrine.core.layout import DATA


def command(
    data: Annotated[Path, typer.Option(help="The folder to draw into.")] = DATA,
    images: Annotated[int, typer.Option(help="How many images.")] = 900,
    size: Annotated[int, typer.Option(help="Longer side of an image, in pixels.")] = 96,
    seed: Annotated[int, typer.Option(help="Another seed draws another catalogue.")] = 7,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what the folder holds.")
    ] = False,
    faults: Annotated[
        int, typer.Option(min=0, help="Plant so many of each fault, to see what validate catches.")
    ] = 0,
) -> None:
    """Draw the demo catalogue: product images with labels, the same for the same seed."""
    from vitrine.demo import draw_catalogue

    drawn = draw_catalogue(data, images=images, size=size, seed=seed, replace=replace)
    typer.echo(drawn.describe())
    if faults:
        from vitrine.demo.faults import describe, plant_faults

        typer.echo("\n" + describe(plant_faults(data, each=faults, seed=seed)))
        typer.echo("\nSee what is caught:")
        typer.echo("  vitrine validate")
        return
    typer.echo("\nVersion it and run the pipeline:")
    typer.echo(f"  {shlex.join(['dvc', 'add', str(data)])}")
    typer.echo("  dvc repro")
