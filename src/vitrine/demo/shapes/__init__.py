"""Product shapes: one module a category, one function a shape."""

from vitrine.demo.pen import Shape
from vitrine.demo.shapes import clothing, electronics, home

__all__ = ["SHAPES"]

SHAPES: dict[str, dict[str, Shape]] = {
    "clothing": clothing.SHAPES,
    "electronics": electronics.SHAPES,
    "home": home.SHAPES,
}
