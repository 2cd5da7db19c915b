"""The proof that no split knows anything of another: what `prepare` wrote, looked at again."""

import sqlite3
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from vitrine.core import layout
from vitrine.core.errors import ValidationFailed
from vitrine.core.files import write_json, write_text
from vitrine.core.manifest import Catalogue
from vitrine.core.params import ImageParams, Severities
from vitrine.quality import database, page
from vitrine.quality.checks import FINDINGS
from vitrine.quality.duplicates import NEAR_FILE, read_edges
from vitrine.quality.expectations import run_checks
from vitrine.quality.facts import FACTS_FILE
from vitrine.quality.report import DOCS, PAGE, Report
from vitrine.quality.suites import leakage_checks, with_severities

_ADVICE = (
    "Splits that manifest.csv gives are kept as they are: correct them there, or allow the leak "
    "in prepare.severity of params.yaml."
)


def prove_no_leaks(
    catalogue: Catalogue,
    splits: Mapping[str, Iterable[str]],
    image: ImageParams,
    severities: Severities,
) -> str:
    """Check that no product, file or near-duplicate is in two splits; write reports/prepare/.

    Args:
        catalogue: The data folder, with the facts that `validate` made of it.
        splits: The images of each split, read back from what training will see.
        image: The limits on bytes and pixels, for the pictures in the report.
        severities: Where others than `error` are wanted, by check.

    Returns:
        The result in words.

    Raises:
        DataError: The facts are missing or of another version.
        ParamsError: A severity is set for a check that does not exist.
        ValidationFailed: There is a leak; the reports are written.
    """
    checks = with_severities(list(leakage_checks()), severities, "prepare")
    folder, scratch = layout.reports("prepare"), layout.scratch("prepare")
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as temporary:
        path = Path(temporary) / "catalogue.db"
        with closing(database.open_database(path)) as connection:
            _load(connection, catalogue, splits)
            report = Report(run_checks(checks, path, folder / DOCS), connection)
            report.write_findings(folder / FINDINGS)
            write_text(folder / PAGE, page.render(report, catalogue.root, image, "Leakage checks"))
            write_json(folder / "metrics.json", report.metrics())
            if report.failed("error"):
                raise ValidationFailed(report.describe(folder, _ADVICE))
            return report.describe(folder, _ADVICE) if report.by_weight else report.verdict()


def _load(
    connection: sqlite3.Connection, catalogue: Catalogue, splits: Mapping[str, Iterable[str]]
) -> None:
    """Make the table `images`, with the splits as they are and not as the manifest wants them."""
    validated = layout.artifacts("validate")
    database.load_images(connection, catalogue, validated / FACTS_FILE)
    database.load_near_duplicates(connection, read_edges(validated / NEAR_FILE))
    database.load_classes(connection, catalogue.taxonomy())
    with connection:
        connection.execute("CREATE UNIQUE INDEX images_image ON images (image)")
        connection.execute("UPDATE images SET split = NULL")
        for split, names in splits.items():
            rows = ((split, name) for name in names)
            connection.executemany("UPDATE images SET split = ? WHERE image = ?", rows)
