"""Two registered versions, whatever their image size and labels, on the same test images."""

from dataclasses import dataclass
from typing import Any

from vitrine import tracking
from vitrine.core.columns import aligned
from vitrine.core.errors import ReleaseError
from vitrine.core.layout import DATA, artifacts
from vitrine.core.manifest import Catalogue
from vitrine.core.params import RegisterParams
from vitrine.core.taxonomy import Head
from vitrine.evaluation.contest import (
    Contest,
    Contestant,
    Ground,
    HeadContest,
    SliceChange,
    compare,
)
from vitrine.evaluation.slices import SLICES_FILE
from vitrine.release.versions import find
from vitrine.tracking import Version

SLICES_SHOWN = 6
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions of a registered model, compared.

    Args:
        first: The one.
        second: The other.
        images: How many test images both answered.
        contest: What was found.
    """

    first: Version
    second: Version
    images: int
    contest: Contest

    def describe(self) -> str:
        """Return tables and a verdict in words."""
        one, other = self.first.number, self.second.number
        lines = [
            f"{self.first.name}: version {one} against version {other} "
            f"on the same {self.images:,} test images",
            "",
            *aligned([_header("", one, other, "95 % interval"), *self._measures()]),
            "",
            *aligned([("", f"only {one} right", f"only {other} right", "p"), *self._counts()]),
        ]
        if self.contest.slices:
            header = _header("largest changes", one, other, "p")
            lines += ["", *aligned([header, *map(_slice_row, self._largest())])]
        mine, theirs = self.contest.latencies
        return "\n".join(
            [
                *lines,
                "",
                f"One image on one CPU thread: {mine:.3g} against {theirs:.3g} ms (median)",
                "p is that of McNemar's exact test on products. For slices it is corrected for "
                f"their number ({len(self.contest.slices)}); heads differ where it is below "
                f"{self.contest.level:.3g}.",
                "",
                f"{self.verdict[0].upper()}{self.verdict[1:]}.",
            ]
        )

    @property
    def verdict(self) -> str:
        """In which heads the first version is more or less accurate beyond chance, in words."""
        decided = self.contest.decided()
        found: dict[str, list[Head]] = {}
        for one in self.contest.heads:
            how = {True: "better than", False: "worse than", None: "not shown to differ from"}
            found.setdefault(how[decided.get(one.head)], []).append(one.head)
        if self.contest.apart:
            found["not comparable with"] = list(self.contest.apart)
        parts = [
            f"{how} version {self.second.number} in {' and '.join(heads)}"
            for how, heads in found.items()
        ]
        if not parts:
            return "neither version knows the label of a test image, so they cannot be compared"
        return f"version {self.first.number} is {', and '.join(parts)}"

    def document(self) -> dict[str, Any]:
        """Return the same as a JSON-like value; differences are first less second."""
        sides = zip((self.first, self.second), self.contest.latencies, strict=True)
        return {
            "model": self.first.name,
            "versions": [
                {
                    "version": int(version.number),
                    "bundle_digest": version.bundle_digest,
                    "milliseconds": round(milliseconds, 3),
                }
                for version, milliseconds in sides
            ],
            "images": self.images,
            "heads": {one.head: _head_document(one) for one in self.contest.heads},
            "slices": [_slice_document(change) for change in self.contest.slices],
            "verdict": self.verdict,
        }

    def _measures(self) -> list[tuple[str, ...]]:
        return [
            (
                f"{one.head} {name.replace('_f1', ' F1')}",
                f"{change.first:.3f}",
                f"{change.second:.3f}",
                f"{change.difference:+.3f}",
                f"{change.low:+.3f} to {change.high:+.3f}",
            )
            for one in self.contest.heads
            for name, change in one.changes.items()
        ]

    def _counts(self) -> list[tuple[str, ...]]:
        return [
            (
                f"{one.head} ({one.counts.images:,} images, {one.classes} classes)",
                f"{one.counts.wins:,}",
                f"{one.counts.losses:,}",
                f"{one.counts.chance():.3g}",
            )
            for one in self.contest.heads
        ]

    def _largest(self) -> list[SliceChange]:
        by_size = sorted(self.contest.slices, key=lambda one: -abs(one.counts.difference))
        return by_size[:SLICES_SHOWN]


def compare_versions(section: RegisterParams, first: str, second: str) -> Compared:
    """Let two versions answer the test images of artifacts/prepare, and compare them.

    Args:
        section: The model's name, and how small a slice may be.
        first: The number or an alias of a version.
        second: Of another one.

    Raises:
        ReleaseError: There is no such version, or both are one.
        TrackingError: The registry refuses or does not answer.
        BundleError: A version holds no sound bundle.
        PreparedDataError: The shards or the slices are missing, damaged, or do not fit.
        DataError: data/manifest.csv is missing or wrong.
        ImageError: A test image that a version of another size needs cannot be read.
    """
    tracking.check()
    versions = find(section.name, first), find(section.name, second)
    if versions[0].number == versions[1].number:
        raise ReleaseError(
            f"{first} and {second} are both version {versions[0].number} of {section.name!r}: name "
            "two versions"
        )
    one, other = (_contestant(version) for version in versions)
    names = one.answers.names
    ground = Ground.read(
        names,
        Catalogue(DATA).manifest_path,
        artifacts("evaluate") / SLICES_FILE,
        section.min_slice_images,
    )
    return Compared(*versions, len(names), compare(one, other, ground, "two-sided"))


def _contestant(version: Version) -> Contestant:
    folder = tracking.download_bundle(version.name, version.number)
    return Contestant.of(folder, artifacts("prepare"), DATA)


def _header(what: str, one: str, other: str, last: str) -> tuple[str, ...]:
    return (what, f"version {one}", f"version {other}", "difference", last)


def _slice_row(change: SliceChange) -> tuple[str, ...]:
    mine, theirs = change.accuracy
    return (
        f"{change.head}, {change.name} ({change.counts.images:,} images)",
        f"{mine:.3f}",
        f"{theirs:.3f}",
        f"{change.counts.difference:+.3f}",
        f"{change.chance:.3g}",
    )


def _head_document(one: HeadContest) -> dict[str, Any]:
    return {
        "images": one.counts.images,
        "classes": one.classes,
        **{
            name: {
                "first": round(change.first, DIGITS),
                "second": round(change.second, DIGITS),
                "difference": round(change.difference, DIGITS),
                "low": round(change.low, DIGITS),
                "high": round(change.high, DIGITS),
            }
            for name, change in one.changes.items()
        },
        "only_first_right": one.counts.wins,
        "only_second_right": one.counts.losses,
        "p": one.counts.chance(),
    }


def _slice_document(change: SliceChange) -> dict[str, Any]:
    mine, theirs = change.accuracy
    return {
        "slice": change.name,
        "head": change.head,
        "images": change.counts.images,
        "first": round(mine, DIGITS),
        "second": round(theirs, DIGITS),
        "difference": round(change.counts.difference, DIGITS),
        "p": change.chance,
    }
