"""A catalogue without pictures, and its tables, for tests of what is said about them."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitrine.core.manifest import Catalogue, ManifestWriter, Row
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.quality import database
from vitrine.quality.facts import SCHEMA, Facts, write_facts
from vitrine.quality.near_duplicates import Edges

TAXONOMY = Taxonomy(
    styles=(Label(name="vintage"), Label(name="modern")),
    categories=(Label(name="home"), Label(name="shoes")),
)


@dataclass(frozen=True)
class Tables:
    """A data folder, and the database made from it."""

    catalogue: Catalogue
    path: Path
    connection: sqlite3.Connection

    def select(self, query: str) -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        return [tuple(row) for row in self.connection.execute(query)]


def known(image: str, **values: object) -> Facts:
    """Return the facts of a good picture; another image is another file."""
    digest = hashlib.sha256(image.encode()).hexdigest()
    facts = {
        "image": image,
        "readable": True,
        "format": "JPEG" if image.endswith(".jpg") else "PNG",
        "width": 60,
        "height": 80,
        "mode": "RGB",
        "orientation": 1,
        "bytes": 4000,
        "md5": digest[:32],
        "sha256": digest,
        "phash": int(digest[:16], 16),
        "mirror_hash": int(digest[16:32], 16),
        "descriptor": bytes(228),
        "aspect_ratio": 80 / 60,
        "brightness": 150.0,
        "darkest": 20.0,
        "brightest": 250.0,
        "contrast": 60.0,
        "sharpness": 0.8,
        "entropy": 5.0,
        "colourfulness": 30.0,
        "background": 0.5,
        "repetition": 0.0,
    }
    assert facts.keys() == set(SCHEMA.names) - {"reason"}
    return Facts(**{**facts, **values})


def missing(image: str) -> Facts:
    """Return the facts of a file that is not there."""
    return Facts(image, reason="the file is missing")


def fill(
    root: Path, images: Iterable[tuple[Row, Facts]], taxonomy: Taxonomy = TAXONOMY
) -> Catalogue:
    """Write manifest and taxonomy into a data folder, and the facts beside it."""
    catalogue = Catalogue(root)
    images = list(images)
    with ManifestWriter(catalogue.manifest_path) as writer:
        for row, _ in images:
            writer.write(row)
    taxonomy.save(catalogue.taxonomy_path)
    (root / "images").mkdir(exist_ok=True)
    write_facts(root.parent / "facts.parquet", (facts for _, facts in images))
    return catalogue


@contextmanager
def tables(
    folder: Path,
    images: Iterable[tuple[Row, Facts]],
    taxonomy: Taxonomy = TAXONOMY,
    near: Iterable[tuple[int, int]] = (),
) -> Iterator[Tables]:
    """Make data/, facts and database in a folder; `near` pairs places that look alike."""
    catalogue = fill(folder / "data", images, taxonomy)
    path = folder / "catalogue.db"
    with closing(database.open_database(path)) as connection:
        database.load_images(connection, catalogue, folder / "facts.parquet")
        pairs = np.array(list(near), np.int64).reshape(-1, 2)
        database.load_near_duplicates(connection, Edges(pairs[:, 0], pairs[:, 1]))
        database.load_files(connection, catalogue.root, [])
        database.load_classes(connection, taxonomy)
        yield Tables(catalogue, path, connection)
