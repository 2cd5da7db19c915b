"""Setting rows aside that a check found, and taking them back. No image is ever touched."""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vitrine.core.errors import DataError
from vitrine.core.manifest import Catalogue, ManifestWriter, Row, numbered_rows, read_manifest
from vitrine.core.quarantine import Quarantined, read_quarantine, write_quarantine

_COLUMNS = ["check", "severity", "line", "image", "reason"]
_AGAIN = "run `vitrine validate` first"


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved, and what is where now.

    Attributes:
        images: The rows that moved, by image, with the check that found each (empty when restored).
        manifest: Rows in manifest.csv.
        quarantine: Rows in quarantine.csv.
    """

    images: Mapping[str, str]
    manifest: int
    quarantine: int


def set_aside(catalogue: Catalogue, findings: Path, checks: Collection[str] = ()) -> Moved:
    """Move rows that a check found from manifest.csv to quarantine.csv.

    The quarantine is written before the manifest, so that a kill in between loses no row.

    Args:
        catalogue: The data folder.
        findings: The findings.csv that `validate` wrote for it.
        checks: Which checks' findings; by default those of all failed errors.

    Raises:
        DataError: There are no findings, they are of another manifest, a check found nothing, or no
            row would be left.
    """
    wanted = _read_findings(findings, checks)
    moved: dict[str, str] = {}
    aside = {one.row.image: one for one in read_quarantine(catalogue.quarantine_path)}
    left = 0
    for line, row in numbered_rows(catalogue.manifest_path):
        image, check, reason = wanted.pop(line, ("", "", ""))
        if not image:
            left += 1
        elif image == row.image:
            aside[image] = Quarantined(row, check, reason)
            moved[image] = check
        else:
            raise _of_another_manifest(findings, line, image, row.image)
    if wanted:
        line, (image, *_) = next(iter(wanted.items()))
        raise _of_another_manifest(findings, line, image, "nothing")
    if moved and not left:
        raise DataError(
            f"every row of {catalogue.manifest_path} would go into quarantine: correct the data, "
            "or choose checks with --check"
        )
    if moved:
        write_quarantine(catalogue.quarantine_path, aside.values())
        with ManifestWriter(catalogue.manifest_path) as writer:
            for row in _kept(catalogue, moved):
                writer.write(row)
    return Moved(moved, left, len(aside))


def restore(catalogue: Catalogue, images: Collection[str] = ()) -> Moved:
    """Move rows from quarantine.csv back to the end of manifest.csv.

    Args:
        catalogue: The data folder.
        images: Which ones, by their path; by default all.

    Raises:
        DataError: An image is not in quarantine.
    """
    aside = {one.row.image: one for one in read_quarantine(catalogue.quarantine_path)}
    for image in images:
        if image not in aside:
            raise DataError(f"{catalogue.quarantine_path} has no image {image!r}; look it up there")
    chosen = {image: aside.pop(image) for image in (images or list(aside))}
    present = set()
    with ManifestWriter(catalogue.manifest_path) as writer:
        for row in read_manifest(catalogue.manifest_path):
            writer.write(row)
            if row.image in chosen:  # a kill may have left it in both files
                present.add(row.image)
        for image, one in chosen.items():
            if image not in present:
                writer.write(one.row)
    if aside:
        write_quarantine(catalogue.quarantine_path, aside.values())
    else:
        catalogue.quarantine_path.unlink(missing_ok=True)
    return Moved(dict.fromkeys(chosen, ""), writer.rows, len(aside))


def _kept(catalogue: Catalogue, moved: Mapping[str, str]) -> Iterator[Row]:
    for row in read_manifest(catalogue.manifest_path):
        if row.image not in moved:
            yield row


def _read_findings(path: Path, checks: Collection[str]) -> dict[int, tuple[str, str, str]]:
    """Return image, check and reason of the chosen findings by their line in the manifest."""
    chosen: dict[int, tuple[str, str, str]] = {}
    found = set()
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            if next(reader, None) != _COLUMNS:
                raise ValueError
            for check, severity, line, image, reason in reader:
                found.add(check)
                meant = check in checks if checks else severity == "error"
                if meant and line:
                    chosen.setdefault(int(line), (image, check, reason))
    except FileNotFoundError:
        raise DataError(f"{path} is missing: {_AGAIN}") from None
    except (ValueError, csv.Error):  # other columns, too few of them, no number, no UTF-8
        raise DataError(f"{path} is damaged: {_AGAIN}") from None
    for check in checks:
        if check not in found:
            known = ", ".join(sorted(found)) or "none"
            raise DataError(f"the check {check!r} has found nothing; those that have: {known}")
    if checks and not chosen:
        raise DataError(
            f"what {', '.join(checks)} found are no rows of the manifest, so there is nothing to "
            "set aside"
        )
    return chosen


def _of_another_manifest(findings: Path, line: int, found: str, there: str) -> DataError:
    return DataError(
        f"{findings} is of another manifest: line {line} was {found}, but is {there}; {_AGAIN}"
    )
