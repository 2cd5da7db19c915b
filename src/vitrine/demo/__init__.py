"""Draws the demo catalogue: product images with known style and category, the same for a seed."""

from vitrine.demo.catalogue import DrawnCatalogue, draw_catalogue

__all__ = ["DrawnCatalogue", "draw_catalogue"]
