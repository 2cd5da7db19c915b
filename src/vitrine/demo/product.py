"""A product: what it is, how it is designed, what the shop calls it."""

from dataclasses import dataclass

from PIL import Image

from vitrine.demo.chance import chance
from vitrine.demo.design import Design, design
from vitrine.demo.labels import CELLS
from vitrine.demo.patterns import Field
from vitrine.demo.pen import Pen
from vitrine.demo.shapes import SHAPES


@dataclass(frozen=True, slots=True)
class Product:
    """One product, the same in all its views.

    Args:
        name: Its identifier in the manifest.
        style: A key of `design.DESIGNS`.
        category: A key of `shapes.SHAPES`.
        shape: A key of the category's shapes.
        design: Its colours, pattern and ornaments.
        seed: Text from which everything else about it follows.
    """

    name: str
    style: str
    category: str
    shape: str
    design: Design
    seed: str

    @property
    def title(self) -> str:
        """Return what the shop calls it: `Rust floral dress`."""
        pattern = "" if self.design.pattern == "plain" else f"{self.design.pattern} "
        return f"{self.design.body.name()} {pattern}{self.shape}".capitalize()

    def sheet(self, side: int) -> tuple[Field, Image.Image]:
        """Draw it from the front on a square of `side` pixels; see `Pen.sheet`."""
        rng = chance(self.seed, "shape")
        pen = Pen(self.design, side, rng)
        SHAPES[self.category][self.shape](pen, rng)
        return pen.sheet()


def invent(number: int, style: str, category: str, seed: int) -> Product:
    """Return the product of this number: shapes take turns, the seed decides its design."""
    text = f"{seed}/product/{number}"
    rng = chance(text)
    shapes = list(SHAPES[category])
    return Product(
        name=f"p{number:05d}",
        style=style,
        category=category,
        shape=shapes[number // len(CELLS) % len(shapes)],
        design=design(style, category, rng),
        seed=text,
    )
