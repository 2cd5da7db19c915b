"""What an import did, in words: nothing that was left out or emptied stays unsaid."""

import csv
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vitrine.core.files import atomic_file
from vitrine.core.layout import scratch
from vitrine.core.taxonomy import HEADS, Head
from vitrine.importers.labels import Emptied
from vitrine.importers.source import Remark

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought into the data folder.

    Args:
        title: Of the source.
        data: The data folder.
        added: Images that are new in it.
        kept: Images that were in it before and still are.
        labels: Of the new images, how many have which label, by head.
        emptied: Labels that were taken off, by why.
        min_images: How many images a label had to have.
        left_out: What is not in the data folder, and why.
        notes: What was mended on the way.
        leftovers: Folders that a killed import left beside the data folder.
        replaced: Whether another catalogue was there before.
    """

    title: str
    data: Path
    added: int
    kept: int
    labels: dict[Head, Counter[str]]
    emptied: Emptied
    min_images: int
    left_out: Sequence[Remark]
    notes: Sequence[Remark]
    leftovers: Sequence[Path]
    replaced: bool

    def describe(self) -> str:
        """Return the lines that a person reads after an import."""
        beside = f" beside the {self.kept:,} that were there" if self.kept else ""
        lines = [f"Imported {_many(self.added, 'image')} into {self.data}{beside}."]
        lines += [self._head(head) for head in HEADS]
        lines += self._emptied()
        if self.left_out:
            lines.append(f"Left out {len(self.left_out):,} (all in {left_out_path()}):")
            lines += summarise(self.left_out)
        if self.notes:
            lines += [f"Mended {len(self.notes):,}:", *summarise(self.notes)]
        lines += [
            f"A killed import left {path} behind: look into it, then delete it."
            for path in self.leftovers
        ]
        pointer = f"{self.data}.dvc"
        if self.replaced and Path(pointer).is_file():
            back = shlex.join(["dvc", "checkout", "--force", pointer])
            lines.append(f"The version that {pointer} names can be brought back: `{back}`.")
        return "\n".join(
            [
                *lines,
                "Version the result with:",
                f"  {shlex.join(['dvc', 'add', str(self.data)])}",
                f"  {shlex.join(['git', 'add', pointer])} && "
                + shlex.join(["git", "commit", "-m", f"data: import {self.title}"]),
            ]
        )

    def _head(self, head: Head) -> str:
        counts = self.labels[head]
        without = self.added - counts.total()
        if not counts:
            return f"  {head}: no labels"
        names = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
        rest = f"; {_many(without, 'image')} without" if without else ""
        return f"  {head}: {_many(len(counts), 'label')} ({names}){rest}"

    def _emptied(self) -> Iterator[str]:
        for head in HEADS:
            for labels, why in (
                (self.emptied.rare[head], f"fewer than {_many(self.min_images, 'image')}"),
                (
                    self.emptied.unknown[head],
                    "not in taxonomy.yaml; add them there first to keep them",
                ),
            ):
                if labels:
                    names = ", ".join(f"{name} {count:,}" for name, count in labels.most_common())
                    yield f"Emptied {head} labels ({why}): {names}"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def summarise(remarks: Sequence[Remark]) -> list[str]:
    """Return a line for each different reason: how many, and the first of them."""
    counts = Counter(remark.reason for remark in remarks)
    first = {remark.reason: remark.origin for remark in reversed(remarks)}
    lines = [
        f"  {count:,} x {reason}; first: {first[reason]}"
        for reason, count in counts.most_common(_SHOWN)
    ]
    if len(counts) > _SHOWN:
        lines.append(f"  … and {len(counts) - _SHOWN:,} other reasons")
    return lines


def left_out_path() -> Path:
    """Return where the last import's whole list of what it left out lies."""
    return scratch("import") / "left-out.csv"


def write_left_out(remarks: Sequence[Remark]) -> None:
    """Write the list, or remove that of an earlier import when there is nothing to list."""
    path = left_out_path()
    if not remarks:
        path.unlink(missing_ok=True)
        return
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("origin", "reason"))
        writer.writerows((remark.origin, remark.reason) for remark in remarks)
