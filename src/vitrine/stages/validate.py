"""The stage `validate`: every new image is decoded once, every row checked."""

import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from vitrine.core import layout
from vitrine.core.errors import DataError, ValidationFailed
from vitrine.core.files import write_json, write_text
from vitrine.core.manifest import Catalogue, read_manifest
from vitrine.core.params import ImageParams, ValidateParams
from vitrine.core.progress import track
from vitrine.core.quarantine import read_quarantine
from vitrine.core.taxonomy import Taxonomy
from vitrine.quality import database, page
from vitrine.quality.checks import FINDINGS
from vitrine.quality.comparison import compare_with_earlier
from vitrine.quality.duplicates import NEAR_FILE, near_duplicates, write_edges
from vitrine.quality.expectations import run_checks
from vitrine.quality.facts import FACTS_FILE, write_facts
from vitrine.quality.measuring import measure_files
from vitrine.quality.report import DOCS, PAGE, Report
from vitrine.quality.store import FactStore
from vitrine.quality.suites import Typical, validate_checks

STAGE = "validate"
_ADVICE = (
    "Go on by correcting these rows, or set them aside with `vitrine quarantine`; then "
    "`dvc add data && dvc repro`."
)


@dataclass(frozen=True, slots=True)
class Validated:
    """What the stage found, in words for a terminal."""

    text: str

    def describe(self) -> str:
        """Return the verdict, a line a check with faults, and the first rows with a warning."""
        return self.text


def run(section: ValidateParams, image: ImageParams) -> Validated:
    """Measure what is new in data/, check rows, files, labels and pictures, write the reports.

    Args:
        section: The thresholds.
        image: The limits on bytes and pixels.

    Raises:
        DataError: The manifest or the taxonomy cannot be read, or there are no images.
        ParamsError: A severity is set for a check that does not exist.
        ValidationFailed: A check of severity error is not met; the reports are written.
    """
    catalogue = Catalogue(layout.DATA)
    taxonomy = catalogue.taxonomy()
    total = sum(1 for _ in read_manifest(catalogue.manifest_path))
    if not total:
        raise DataError(
            f"{catalogue.manifest_path} lists no images: fill {layout.DATA}/ with `vitrine import`"
        )
    facts = layout.artifacts(STAGE) / FACTS_FILE
    scratch = layout.scratch(STAGE)
    with FactStore(scratch / "facts.db", image) as store:
        names = (row.image for row in read_manifest(catalogue.manifest_path))
        measured = measure_files(catalogue.root, names, image, store, workers=section.workers)
        write_facts(facts, track(measured, "Checking images", total))
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            path = Path(folder) / "catalogue.db"
            with closing(database.open_database(path)) as connection:
                _load(connection, catalogue, taxonomy, section)
                note = compare_with_earlier(connection, section, image, store)
                typical = Typical.of(connection, section.quality)
                checks = validate_checks(section, taxonomy, typical)
                outcomes = run_checks(checks, path, layout.reports(STAGE) / DOCS)
                report = Report(outcomes, connection, (note,))
                return _write(report, catalogue, image)


def _load(
    connection: sqlite3.Connection,
    catalogue: Catalogue,
    taxonomy: Taxonomy,
    section: ValidateParams,
) -> None:
    facts = layout.artifacts(STAGE) / FACTS_FILE
    database.load_images(connection, catalogue, facts)
    edges = near_duplicates(facts, section.integrity)
    write_edges(layout.artifacts(STAGE) / NEAR_FILE, edges)
    database.load_near_duplicates(connection, edges)
    aside = (one.row.image for one in read_quarantine(catalogue.quarantine_path))
    database.load_files(connection, catalogue.root, aside)
    database.load_classes(connection, taxonomy)


def _write(report: Report, catalogue: Catalogue, image: ImageParams) -> Validated:
    folder = layout.reports(STAGE)
    report.write_findings(folder / FINDINGS)
    write_text(folder / PAGE, page.render(report, catalogue.root, image, "Data checks"))
    write_json(folder / "metrics.json", report.metrics())
    text = report.describe(folder, _ADVICE)
    if report.failed("error"):
        raise ValidationFailed(text)
    return Validated(text)
