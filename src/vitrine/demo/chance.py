"""Where all chance in the demo catalogue comes from, so that the same place gives the same draw."""

import random

import numpy as np


def chance(*place: object) -> random.Random:
    """Return the generator of a place: a seed, and words and numbers that say what it is for."""
    return random.Random("/".join(str(part) for part in place))  # noqa: S311 - pictures, no secrets


def grains(rng: random.Random) -> np.random.Generator:
    """Return a generator of whole arrays that follows from another generator's next draw."""
    return np.random.default_rng(rng.getrandbits(64))
