"""The stage prepare: splits the images, brings them to size and writes them as shards."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine import imaging
from vitrine.core.digests import bytes_digest
from vitrine.core.errors import DataError
from vitrine.core.files import atomic_folder
from vitrine.core.layout import DATA, artifacts
from vitrine.core.manifest import SPLITS, Catalogue
from vitrine.core.parallel import CHUNK, map_in_order
from vitrine.core.params import ImageParams, PrepareParams
from vitrine.core.progress import track
from vitrine.core.taxonomy import HEADS
from vitrine.inputs.grouping import Indices, group_images
from vitrine.inputs.listing import UNDECIDED, Listing, content_number
from vitrine.inputs.records import Record
from vitrine.inputs.shards import read_names, write_split
from vitrine.inputs.split import TRAIN, Assignment, assign
from vitrine.inputs.summary import UNLABELLED, SplitSummary, Summary
from vitrine.quality.duplicates import NEAR_FILE, read_edges
from vitrine.quality.facts import FACTS_FILE, read_columns
from vitrine.quality.leakage import prove_no_leaks

_CHUNK_BYTES = 2 * 2**20


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was prepared.

    Args:
        folder: Where the shards are.
        summary: What they hold.
        assignment: How the split came about.
        unlabelled: Whether images without any label were to be written, too.
        left_out: Images that are not written because neither head has a label.
        leakage: What the proof of the splits found, in words.
    """

    folder: Path
    summary: Summary
    assignment: Assignment
    unlabelled: bool
    left_out: int
    leakage: str

    def describe(self) -> str:
        """Return the splits' sizes and what is remarkable about them."""
        sizes = ", ".join(f"{name} {split.images:,}" for name, split in self.summary.splits.items())
        files = sum(len(split.shards) for split in self.summary.splits.values())
        done = self.assignment
        lines = [
            f"Prepared {sizes} images in {files} shards under {self.folder}.",
            f"{done.groups:,} groups kept together; the largest has {done.largest:,} images.",
        ]
        if done.moved:
            lines.append(f"{done.moved} groups moved so that every label is in every split.")
        if self.left_out:
            reason = (
                "they belong to val or test by the manifest, their product or a near-duplicate"
                if self.unlabelled
                else "only pretraining learns from such"
            )
            lines.append(f"{self.left_out:,} images without any label were left out: {reason}.")
        lines.append(self.leakage)
        return "\n".join(lines)


def run(section: PrepareParams, image: ImageParams, *, unlabelled: bool) -> Prepared:
    """Split, resize and shard the catalogue in data/, and prove that no split knows another.

    Args:
        section: The stage's settings.
        image: How files become pixels.
        unlabelled: Whether images without any label are written, too, for pretraining.

    Raises:
        DataError: The manifest, an image or the facts of `validate` are wrong or do not agree.
        PreparedDataError: A label cannot be in train, val and test.
        ValidationFailed: The manifest's own splits tear products or duplicates apart.
    """
    catalogue = Catalogue(DATA)
    listing = _read(catalogue, artifacts("validate") / FACTS_FILE)
    near = read_edges(artifacts("validate") / NEAR_FILE)
    pairs = near.first, near.second
    assignment = assign(listing, section, pairs)
    chosen = _choose(listing, assignment, section.seed)
    if unlabelled and len(bare := _bare(listing, assignment, pairs)):
        chosen[UNLABELLED] = np.random.default_rng(section.seed).permutation(bare)
    source = _Source(catalogue, listing, image, section.workers)
    with atomic_folder(artifacts("prepare")) as folder:
        splits: dict[str, SplitSummary] = {}
        for split, rows in chosen.items():
            splits[split] = write_split(
                folder / split,
                track(source.records(rows), f"Preparing {split}", len(rows)),
                listing.taxonomy,
                images=len(rows),
                shards=_shards(len(rows), split, section, image),
            )
        summary = Summary(image=image, taxonomy=listing.taxonomy, splits=splits)
        summary.save(folder)
        leakage = prove_no_leaks(catalogue, _names(folder, chosen), image, section.severity)
    left = len(listing) - sum(len(rows) for rows in chosen.values())
    return Prepared(artifacts("prepare"), summary, assignment, unlabelled, left, leakage)


def _choose(listing: Listing, assignment: Assignment, seed: int) -> dict[str, Indices]:
    """Return the rows with a label of each split, in random order."""
    order = np.random.default_rng(seed).permutation(np.flatnonzero(_labelled(listing)))
    return {split: order[assignment.splits[order] == place] for place, split in enumerate(SPLITS)}


def _labelled(listing: Listing) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = np.any([listing.labels(head) >= 0 for head in HEADS], axis=0)
    return known


def _bare(listing: Listing, assignment: Assignment, near: tuple[Indices, Indices]) -> Indices:
    """Return the rows without a label that train may see.

    Those of train, and those of groups that have no label and no split of the manifest: wherever
    the hash sends such a group, val and test have nothing of it.
    """
    labelled = _labelled(listing)
    roots = group_images(listing.products, listing.contents, near)
    bound = np.zeros(len(listing), np.bool_)
    bound[roots[labelled | (listing.given != UNDECIDED)]] = True
    return np.flatnonzero(~labelled & ((assignment.splits == TRAIN) | ~bound[roots]))


def _names(folder: Path, splits: Iterable[str]) -> dict[str, Iterator[str]]:
    """Return the images that the shards hold, by split; those without a label count as train's."""
    names = {split: read_names(folder, split) for split in splits}
    if UNLABELLED in names:
        names["train"] = chain(names["train"], names.pop(UNLABELLED))
    return names


def _read(catalogue: Catalogue, facts: Path) -> Listing:
    """Read manifest and facts side by side into a listing."""
    listing = Listing(catalogue.taxonomy())
    known = read_columns(facts, ["image", "readable", "reason", "sha256"])
    for row in catalogue.rows():
        image, readable, reason, sha256 = next(known, (None, False, "", ""))
        if image != row.image:
            raise _disagreement(facts, f"row {len(listing) + 1} of the manifest is {row.image}")
        if not readable:
            raise DataError(f"{row.image}: {reason}; correct it and run `dvc repro`")
        listing.add(row, sha256)
    if next(known, None) is not None:
        raise _disagreement(facts, f"the manifest ends after {len(listing)} rows")
    if not len(listing):
        raise DataError(f"{catalogue.manifest_path} has no rows: import images first")
    return listing


def _disagreement(facts: Path, found: str) -> DataError:
    return DataError(
        f"{facts} is of another version of the data ({found}); run `dvc repro prepare`, which "
        "validates first"
    )


def _shards(images: int, split: str, section: PrepareParams, image: ImageParams) -> int:
    pixels = images * image.height * image.width * 3
    needed = math.ceil(pixels / (section.shard_megabytes * 2**20))
    return max(needed, section.min_shards if split == "train" else 1)


@dataclass(frozen=True, slots=True)
class _Source:
    """Makes records from the files of a catalogue."""

    catalogue: Catalogue
    listing: Listing
    image: ImageParams
    workers: int

    def records(self, chosen: Indices) -> Iterator[Record]:
        """Yield the records of some rows, in the order given, a bounded number in memory."""
        size = self.image.height * self.image.width * 3
        return map_in_order(
            self._record,
            map(int, chosen),
            workers=self.workers,
            chunk=max(1, min(CHUNK, _CHUNK_BYTES // size)),
        )

    def _record(self, index: int) -> Record:
        name = self.listing.name(index)
        data = imaging.read(self.catalogue.root / name, self.image, name)
        if content_number(bytes_digest(data)) != self.listing.content(index):
            raise DataError(f"{name} has changed since it was validated; run `dvc repro prepare`")
        pixels = imaging.load(data, self.image, name)
        return Record(name, pixels, {head: self.listing.label(head, index) for head in HEADS})
