"""The demo catalogue on disk: which products there are, their views, labels and files."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from vitrine.core.errors import DataError
from vitrine.core.files import atomic_folder
from vitrine.core.manifest import ManifestWriter, Row
from vitrine.core.progress import track
from vitrine.core.taxonomy import HEADS, Head
from vitrine.demo.chance import chance
from vitrine.demo.labels import CELLS, TAXONOMY
from vitrine.demo.product import Product, invent
from vitrine.demo.studio import photograph

MIN_SIZE = 24
MISSING_SHARE = 0.08
"""The share of images without a label, for each head on its own."""

VIEWS = (1, 1, 1, 1, 1, 1, 2, 2, 3, 4)
"""How many images a product has; one of these, all equally likely."""


@dataclass(frozen=True, slots=True)
class DrawnCatalogue:
    """What was drawn.

    Args:
        root: The catalogue's folder.
        images: How many images it holds.
        products: How many products they show.
        counts: Images of each (style, category), whether the manifest tells the labels or not.
        unlabelled: Images whose manifest row lacks the label, by head.
        bytes: Size of all image files together.
    """

    root: Path
    images: int
    products: int
    counts: dict[tuple[str, str], int]
    unlabelled: dict[Head, int]
    bytes: int

    def describe(self) -> str:
        """Return a table of the counts and a line on each other number."""
        styles, categories = TAXONOMY.names("style"), TAXONOMY.names("category")
        megabytes = self.bytes / 2**20
        lines = [
            f"Drew {self.images} images of {self.products} products in {self.root}, "
            f"{megabytes:.1f} MiB.",
            "",
            " " * 12 + "".join(f"{category:>13}" for category in categories),
        ]
        for style in styles:
            numbers = (self.counts[style, category] for category in categories)
            lines.append(f"{style:<12}" + "".join(f"{number:>13}" for number in numbers))
        shares = (
            f"{self.unlabelled[head] / self.images:.1%} of the {head} labels" for head in HEADS
        )
        return "\n".join([*lines, "", f"Left empty: {' and '.join(shares)}."])


def draw_catalogue(
    root: Path, *, images: int, size: int, seed: int, replace: bool = False
) -> DrawnCatalogue:
    """Draw a catalogue of product images: manifest.csv, taxonomy.yaml and images/ under `root`.

    The same arguments give the same bytes. The folder appears whole or not at all.

    Args:
        root: The folder to make.
        images: How many images; at least one for each pair of style and category.
        size: The longer side of an image, in pixels.
        seed: Of every choice.
        replace: Put it in the place of the catalogue that `root` holds.

    Raises:
        DataError: `root` holds something else than a catalogue, or one and `replace` is false, or
            a number is too small.
    """
    _check(root, images, size, replace)
    shots = list(_shots(images, seed))
    missing = {head: _missing(images, seed, head) for head in HEADS}
    total = 0
    with atomic_folder(root) as folder, ManifestWriter(folder / "manifest.csv") as manifest:
        (folder / "images").mkdir()
        TAXONOMY.save(folder / "taxonomy.yaml")
        for index, (product, view) in enumerate(track(shots, "Drawing", images)):
            data = photograph(product, view, size)
            name = f"images/{product.name}-{view + 1}.jpg"
            (folder / name).write_bytes(data)
            total += len(data)
            manifest.write(
                Row(
                    image=name,
                    style="" if index in missing["style"] else product.style,
                    category="" if index in missing["category"] else product.category,
                    product=product.name,
                    title=product.title,
                )
            )
    return DrawnCatalogue(
        root=root,
        images=images,
        products=len({product.name for product, _ in shots}),
        counts=dict(Counter((product.style, product.category) for product, _ in shots)),
        unlabelled={head: len(missing[head]) for head in HEADS},
        bytes=total,
    )


def _check(root: Path, images: int, size: int, replace: bool) -> None:
    if images < len(CELLS):
        raise DataError(
            f"images must be at least {len(CELLS)}, one for each style and category, "
            f"but got {images}"
        )
    if size < MIN_SIZE:
        raise DataError(f"size must be at least {MIN_SIZE} pixels, but got {size}")
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return
    if not (root / "manifest.csv").exists():
        raise DataError(
            f"{root} is there, but is no catalogue (it has no manifest.csv): move it away, "
            "or draw elsewhere with --data"
        )
    if not replace:
        raise DataError(
            f"{root} already holds a catalogue: put the new one in its place with --replace, "
            "or draw elsewhere with --data"
        )


def _shots(images: int, seed: int) -> Iterator[tuple[Product, int]]:
    """Yield (product, number of its view): all cells once, in random order, then again."""
    rng = chance(seed, "catalogue")
    left = images
    for number in count():
        place = number % len(CELLS)
        if place == 0:
            cells = rng.sample(CELLS, len(CELLS))
        product = invent(number, *cells[place], seed)
        # The first round leaves an image for each cell that is still to come.
        reserved = max(0, len(CELLS) - 1 - number)
        views = min(rng.choice(VIEWS), left - reserved)
        for view in range(views):
            yield product, view
        left -= views
        if left == 0:
            return


def _missing(images: int, seed: int, head: Head) -> frozenset[int]:
    rng = chance(seed, "missing", head)
    return frozenset(rng.sample(range(images), int(images * MISSING_SHARE)))
