"""The stage `validate`: every image is decoded once, every row checked."""

from dataclasses import dataclass

from vitrine.core import layout
from vitrine.core.errors import DataError, ValidationFailed
from vitrine.core.files import write_json, write_text
from vitrine.core.manifest import Catalogue, read_manifest
from vitrine.core.parallel import map_in_order
from vitrine.core.params import ImageParams, ValidateParams
from vitrine.core.progress import track
from vitrine.quality import page
from vitrine.quality.checks import all_checks
from vitrine.quality.expectations import run_checks
from vitrine.quality.facts import FACTS_FILE, measure, write_facts
from vitrine.quality.report import DOCS, FINDINGS, PAGE, Report
from vitrine.quality.tables import build_tables

STAGE = "validate"


@dataclass(frozen=True, slots=True)
class Validated:
    """What the stage found."""

    report: Report

    def describe(self) -> str:
        """Return the verdict, a line a check, and the first rows with a warning."""
        return self.report.describe(layout.reports(STAGE))


def run(section: ValidateParams, image: ImageParams) -> Validated:
    """Measure every image of data/, check rows, files and labels, and write the reports.

    Args:
        section: The thresholds.
        image: The limits on bytes and pixels.

    Raises:
        DataError: The manifest or the taxonomy cannot be read, or there are no images.
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
    measured = map_in_order(
        lambda row: measure(catalogue.path(row), image, row.image),
        read_manifest(catalogue.manifest_path),
        workers=section.workers,
    )
    write_facts(facts, track(measured, "Checking images", total))
    folder = layout.reports(STAGE)
    tables = build_tables(catalogue, taxonomy, facts)
    report = Report(run_checks(all_checks(section, taxonomy), tables, folder / DOCS), tables)
    report.write_findings(folder / FINDINGS)
    write_text(folder / PAGE, page.render(report, catalogue.root, image))
    write_json(folder / "metrics.json", report.metrics())
    if report.failed("error"):
        raise ValidationFailed(report.describe(folder))
    return Validated(report)
