"""What a product is: its shape, its style's design, its title."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    name: str
    style: str
    category: str
    shape: str
    title: str
    seed: int


SHAPES = {
    "clothing": ("T-shirt", "dress"),
    "electronics": ("phone", "laptop"),
    "home": ("chair", "lamp"),
}


def design(number: int, style: str, category: str, seed: int) -> Product:
    rng = random.Random(f"{seed}/product/{number}")
    shape = rng.choice(SHAPES[category])
    return Product(f"p{number:05d}", style, category, shape, f"{style} {shape}", seed)
