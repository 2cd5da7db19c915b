"""From a source to a data folder: every importer ends here.

The new folder is built beside data/ and takes its place only when it is whole, so a killed import
leaves the old data as it was. Memory does not grow with the number of images.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from vitrine.core.errors import ImageError, ImportFailed
from vitrine.core.files import atomic_folder
from vitrine.core.manifest import Catalogue, ManifestWriter, Row, read_manifest
from vitrine.core.params import ImageParams
from vitrine.core.progress import track
from vitrine.core.taxonomy import HEADS
from vitrine.importers.labels import Counts, Emptied, derive, judge
from vitrine.importers.pictures import fetch, link_tree, place
from vitrine.importers.report import Imported, summarise, write_left_out
from vitrine.importers.source import Candidate, Remark, Source
from vitrine.importers.versioned import is_versioned


@dataclass(frozen=True, slots=True)
class Terms:
    """How a source is to be brought in.

    Args:
        data: The data folder to make, add to or replace.
        append: Add to the catalogue that is there; its taxonomy stays.
        replace: Put the new catalogue in the place of the one that is there. Without it that is
            done only where DVC holds the old one, unchanged.
        limit: At most so many images, spread evenly over the source; None = all.
        min_images: Labels with fewer images become empty.
    """

    data: Path
    append: bool
    replace: bool
    limit: int | None
    min_images: int


def import_images(source: Source, terms: Terms, image: ImageParams) -> Imported:
    """Bring a source into the data folder.

    Raises:
        ImportFailed: The source cannot be read or gives no image, or the data folder is in the way.
        DataError: The catalogue to append to is damaged.
    """
    root = Path(os.path.realpath(terms.data))
    standing = _check_place(root, source, terms)
    total = sum(isinstance(entry, Candidate) for entry in _offers(source))
    with atomic_folder(root) as folder:
        intake = _Intake(folder, Catalogue(root) if standing and terms.append else None)
        intake.take_in(source, total, terms.limit, image)
        result = intake.settle(source, terms, replaced=standing and not terms.append)
        write_left_out(result.left_out)
        if not result.added:
            reasons = "; ".join(line.strip() for line in summarise(result.left_out))
            raise ImportFailed(
                f"{source.root} gives no image to import: {reasons or 'it is empty'}"
            )
    return result


def _check_place(root: Path, source: Source, terms: Terms) -> bool:
    """Return whether a catalogue stands at the root; raise where the import may not touch it."""
    if terms.append and terms.replace:
        raise ImportFailed("--append and --replace exclude each other: give one of them")
    given = Path(os.path.realpath(source.root))
    if given.is_relative_to(root) or root.is_relative_to(given):
        raise ImportFailed(
            f"{source.root} and {terms.data} lie in each other: import from elsewhere"
        )
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    if not (root / "manifest.csv").exists():
        raise ImportFailed(
            f"{terms.data} is there, but is no catalogue (it has no manifest.csv): move it away, "
            "or import elsewhere with --data"
        )
    if not terms.append and not terms.replace and not is_versioned(root):
        raise ImportFailed(
            f"{terms.data} already holds a catalogue: add to it with --append, put the new one in "
            "its place with --replace, or version it with `dvc add` first, so that it can come back"
        )
    return True


def _offers(source: Source) -> Iterator[Candidate | Remark]:
    """Yield what a source yields, but a remark for an image of which nothing is known."""
    for entry in source:
        if isinstance(entry, Candidate) and not (entry.style or entry.category):
            yield Remark(entry.origin, "no style and no category")
        else:
            yield entry


class _Intake:
    """A data folder in the making.

    The labels wait in a file of their own until all are counted: only then it is known which of
    them are rare.
    """

    def __init__(self, folder: Path, old: Catalogue | None) -> None:
        self._folder = folder
        self._old = old
        self._before = Counts.of(old.rows() if old else ())
        self._offered = Counts()
        self._waiting = folder / "waiting.csv"
        self._left_out: list[Remark] = []
        self._notes: list[Remark] = []
        if old is not None:
            link_tree(old.root, folder)

    def take_in(self, source: Source, total: int, limit: int | None, image: ImageParams) -> None:
        """Bring in the pictures of at most `limit` of the `total` candidates."""
        chosen = self._chosen(source, total, limit)
        fetched = track(fetch(chosen, image), "Importing", min(total, limit or total))
        with ManifestWriter(self._waiting) as manifest:
            for candidate, data in fetched:
                if isinstance(data, ImageError):
                    self._left_out.append(Remark(data.name, data.reason))
                elif (path := place(self._folder, candidate.name, data)) is None:
                    self._left_out.append(Remark(candidate.origin, "the same image is in already"))
                else:
                    row = candidate.row(path)
                    self._offered.add(row)
                    manifest.write(row)
                    if candidate.note:
                        self._notes.append(Remark(candidate.origin, candidate.note))

    def _chosen(self, source: Source, total: int, limit: int | None) -> Iterator[Candidate]:
        number = 0
        for entry in _offers(source):
            if isinstance(entry, Remark):
                self._left_out.append(entry)
                continue
            number += 1
            if limit is None or number * limit // total > (number - 1) * limit // total:
                yield entry

    def settle(self, source: Source, terms: Terms, *, replaced: bool) -> Imported:
        """Write the taxonomy and the manifest, now that all labels are counted."""
        given = source.taxonomy() if self._old is None else self._old.taxonomy()
        emptied = judge(self._offered, self._before, given, terms.min_images)
        if self._old is None:
            taxonomy = given or derive(self._offered, emptied)
            taxonomy.save(self._folder / "taxonomy.yaml")
        added = Counts()
        with ManifestWriter(self._folder / "manifest.csv") as manifest:
            for row in self._old.rows() if self._old else ():
                manifest.write(row)
            for row in self._labelled(emptied):
                added.add(row)
                manifest.write(row)
        self._waiting.unlink()
        return Imported(
            title=source.title,
            data=terms.data,
            added=added.images,
            kept=self._before.images,
            labels=added.labels,
            emptied=emptied,
            min_images=terms.min_images,
            left_out=self._left_out,
            notes=self._notes,
            leftovers=_leftovers(self._folder, Path(os.path.realpath(terms.data))),
            replaced=replaced,
        )

    def _labelled(self, emptied: Emptied) -> Iterator[Row]:
        """Yield the waiting rows with the labels they keep; a row without one loses its image."""
        for row in read_manifest(self._waiting):
            kept = replace(row, **{head: emptied.rest(head, getattr(row, head)) for head in HEADS})
            if kept.style or kept.category:
                yield kept
            else:
                (self._folder / row.image).unlink()
                labels = " and ".join(
                    f"{head} {name}" for head in HEADS if (name := getattr(row, head))
                )
                self._left_out.append(Remark(row.image, f"{labels} became empty: no label is left"))


def _leftovers(current: Path, root: Path) -> list[Path]:
    """Return what killed imports, or one that runs just now, left beside the data folder."""
    found = root.parent.glob(f".{root.name}.*.tmp")
    return [path for path in found if path.is_dir() and path != current]
