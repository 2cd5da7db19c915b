"""`vitrine import`."""
# ruff: noqa: PLR0913, PLR0917 - an option of a command is an argument of its function

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitrine.core.layout import DATA

if TYPE_CHECKING:
    from vitrine.importers.source import Source

app = typer.Typer(help="Bring images and labels into data/.", no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="The data folder to write.")]
Append = Annotated[bool, typer.Option("--append", help="Add to the catalogue that is there.")]
Replace = Annotated[
    bool,
    typer.Option("--replace", help="Put it in the place of what is there, versioned or not."),
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="At most so many images, spread evenly over the source.")
]
MinImages = Annotated[int, typer.Option(min=1, help="Labels with fewer images become empty.")]


@app.command("folder")
def folder(
    src: Annotated[Path, typer.Argument(help="A folder that holds a folder for each label.")],
    layout: Annotated[
        str | None,
        typer.Option(
            help="What the levels of folders mean, out of style, category, product and split: "
            "style/category, say. Needed where there is more than one level."
        ),
    ] = None,
    data: Data = DATA,
    append: Append = False,
    replace: Replace = False,
    limit: Limit = None,
    min_images: MinImages = 1,
) -> None:
    """Import a folder of labelled folders."""
    from vitrine.importers.folder import Folder

    _run(Folder(src, layout), data, (append, replace), limit, min_images)


@app.command("table")
def table(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file with a row for each image.")],
    image: Annotated[str | None, typer.Option(help="The column of the image's path.")] = None,
    style: Annotated[str | None, typer.Option(help="The column of the style.")] = None,
    category: Annotated[str | None, typer.Option(help="The column of the category.")] = None,
    product: Annotated[
        str | None, typer.Option(help="The column that groups the views of one product.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="The column of the title.")] = None,
    split: Annotated[
        str | None, typer.Option(help="The column that says train, val or test.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Where relative paths start; else beside the file.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of a CSV file: utf-8, gb18030 …")] = "utf-8",
    data: Data = DATA,
    append: Append = False,
    replace: Replace = False,
    limit: Limit = None,
    min_images: MinImages = 1,
) -> None:
    """Import what a CSV or Parquet table lists.

    A column that is called like its option is found without it.
    """
    from vitrine.importers.table import Table

    columns = {
        "image": image,
        "style": style,
        "category": category,
        "product": product,
        "title": title,
        "split": split,
    }
    _run(Table(file, columns, images, encoding), data, (append, replace), limit, min_images)


@app.command("fashion-product-images")
def fashion_product_images(
    src: Annotated[Path, typer.Argument(help="The folder that holds styles.csv and images/.")],
    style: Annotated[str, typer.Option(help="The column that is the style.")] = "usage",
    category: Annotated[str, typer.Option(help="The column that is the category.")] = "subCategory",
    data: Data = DATA,
    append: Append = False,
    replace: Replace = False,
    limit: Limit = None,
    min_images: MinImages = 10,
) -> None:
    """Import that public set, full or small."""
    from vitrine.importers.fashion_product_images import FashionProductImages

    source = FashionProductImages(src, style, category)
    _run(source, data, (append, replace), limit, min_images)


@app.command("fashion-mnist")
def fashion_mnist(
    src: Annotated[
        Path | None,
        typer.Argument(
            help="The folder of the IDX files; else where Debian's package dataset-fashion-mnist "
            "puts them; else they are downloaded."
        ),
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(help="Download from here, not from the official address.")
    ] = None,
    data: Data = DATA,
    append: Append = False,
    replace: Replace = False,
    limit: Limit = None,
    min_images: MinImages = 1,
) -> None:
    """Import Fashion-MNIST.

    Its official test split is kept; a tenth of its train split becomes val.
    """
    from vitrine.importers.fashion_mnist import ADDRESS, FashionMnist, locate

    source = FashionMnist(locate(src, mirror or ADDRESS))
    _run(source, data, (append, replace), limit, min_images)


def _run(
    source: "Source", data: Path, mode: tuple[bool, bool], limit: int | None, min_images: int
) -> None:
    from vitrine.core.params import Params
    from vitrine.importers.intake import Terms, import_images

    append, replace = mode
    terms = Terms(data, append, replace, limit, min_images)
    typer.echo(import_images(source, terms, Params.load().image).describe())
