"""A catalogue while faults are planted into it: changes are collected, then written at once."""

import io
import os
import random
import shutil
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path, PurePosixPath

from PIL import Image

from vitrine import imaging
from vitrine.core.errors import DataError
from vitrine.core.files import atomic_file
from vitrine.core.manifest import Catalogue, ManifestWriter, Row, read_manifest
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.demo.faults.pool import FORMATS, LIMITS, Pool, ordinary_images

NEW_CATEGORY = "unseen"
"""The category that joins the taxonomy where every pair of style and category has a row."""


@dataclass(frozen=True, slots=True)
class Planted:
    """What a check must find.

    Attributes:
        fault: Which fault was planted.
        check: Which check must find it.
        image: The image that the check must name, as a path under data/.
        note: What was done, in words.
    """

    fault: str
    check: str
    image: str
    note: str


class Planting:
    """The rows, files and taxonomy of a catalogue, as they will be.

    Args:
        root: The data folder.
        rng: Of the order in which ordinary images are taken.
    """

    def __init__(self, root: Path, rng: random.Random) -> None:
        self.catalogue = Catalogue(root)
        self.taxonomy = self.catalogue.taxonomy()
        self.rows = {row.image: row for row in read_manifest(self.catalogue.manifest_path)}
        self.pool = Pool(ordinary_images(self.catalogue), rng)
        self._files: dict[str, bytes] = {}
        self._removed: list[str] = []
        self._outside: list[str] = []
        self._pair: tuple[str, str] | None = None

    def data(self, row: Row) -> bytes:
        """Return the bytes of an image as they are before the planting."""
        return self.catalogue.path(row).read_bytes()

    def picture(self, row: Row) -> Image.Image:
        """Return an image as upright RGB."""
        return Image.fromarray(imaging.decode(self.data(row), LIMITS, row.image))

    def overwrite(self, row: Row, data: bytes) -> None:
        """Put other bytes under an image's name."""
        self._files[row.image] = data

    def remove(self, row: Row) -> None:
        """Delete an image's file; its row stays."""
        self._removed.append(row.image)

    def link_outside(self, row: Row) -> None:
        """Move an image's file out of data/ and leave a symbolic link to it."""
        self._outside.append(row.image)

    def copy(self, row: Row, name: str, data: bytes, **changes: str) -> Row:
        """Add an image with the labels of another one, and a product of its own.

        Args:
            row: Of the other image.
            name: Of the file, with its suffix; it comes into the other image's folder.
            data: Of the file.
            changes: Values of the new row that differ.
        """
        image = self._free(str(PurePosixPath(row.image).with_name(name)))
        new = replace(row, image=image, product=Path(name).stem, **changes)
        self.rows[image] = new
        self._files[image] = data
        return new

    def add_orphan(self, name: str, data: bytes) -> str:
        """Add a file to images/ without a row, and return its path under data/."""
        image = self._free(f"images/{name}")
        self._files[image] = data
        return image

    def change(self, row: Row, **changes: str) -> Row:
        """Give an image's row other values."""
        self.rows[row.image] = replace(row, **changes)
        return self.rows[row.image]

    def other_category(self, row: Row, rng: random.Random) -> str:
        """Return another category than the row's that its style may have.

        Raises:
            DataError: There is none.
        """
        allowed = [
            name
            for name in self.taxonomy.names("category")
            if name != row.category and (row.style, name) not in self.taxonomy.forbidden
        ]
        if not allowed:
            raise DataError(
                f"{row.image}: relabelling needs another category than {row.category!r}, "
                "but taxonomy.yaml has none; leave out the faults that relabel"
            )
        return rng.choice(allowed)

    def forbidden_pair(self, rng: random.Random) -> tuple[str, str]:
        """Return a pair that no row had, and which is forbidden from now on; always the same one.

        Where every pair has a row, or is forbidden already, the category `unseen` joins the
        taxonomy.
        """
        if self._pair is None:
            taken = {(row.style, row.category) for row in self.rows.values()}
            taken.update(self.taxonomy.forbidden)
            pairs = list(product(self.taxonomy.names("style"), self.taxonomy.names("category")))
            categories = self.taxonomy.categories
            if not (free := [pair for pair in pairs if pair not in taken]):
                free = [(style, NEW_CATEGORY) for style in self.taxonomy.names("style")]
                categories = (*categories, Label(name=NEW_CATEGORY))
            self._pair = rng.choice(free)
            self.taxonomy = Taxonomy(
                styles=self.taxonomy.styles,
                categories=categories,
                forbidden=(*self.taxonomy.forbidden, self._pair),
            )
        return self._pair

    def _free(self, image: str) -> str:
        path = self.catalogue.root / image
        if image in self.rows or image in self._files or os.path.lexists(path):
            raise DataError(
                f"{image} is there already: faults were planted into {self.catalogue.root} "
                "before; plant into a fresh copy of the catalogue"
            )
        return image

    def write(self) -> None:
        """Carry out what was collected: the files, then the taxonomy and the manifest."""
        root = self.catalogue.root
        for image, data in self._files.items():
            # Beside and renamed: the file of now may share its bytes with DVC's cache.
            with atomic_file(root / image) as temporary:
                temporary.write_bytes(data)
        for image in self._removed:
            (root / image).unlink()
        for image in self._outside:
            self._move_outside(root / image, image)
        self.taxonomy.save(self.catalogue.taxonomy_path)
        with ManifestWriter(self.catalogue.manifest_path) as manifest:
            for row in self.rows.values():
                manifest.write(row)

    def _move_outside(self, path: Path, image: str) -> None:
        """Move a file beside the data folder, and link to it from where it was."""
        root = self.catalogue.root.resolve()
        target = root.with_name(f"{root.name}-outside") / image
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        # Relative, so that both folders may be moved together.
        path.symlink_to(os.path.relpath(target, path.parent.resolve()))


def encode(picture: Image.Image, suffix: str, quality: int = 90) -> bytes:
    """Return a picture as the bytes of an image file.

    Args:
        picture: RGB or L.
        suffix: Of the file's name: `.jpg`, `.jpeg`, `.png` or `.webp`, in any case.
        quality: Of JPEG and WebP, 1 to 100.
    """
    file = io.BytesIO()
    picture.save(file, FORMATS[suffix.lower()], quality=quality)
    return file.getvalue()
