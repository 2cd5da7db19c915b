"""Great Expectations, and only here: checks become suites, their results outcomes and Data Docs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import great_expectations as gx
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from vitrine.core.files import atomic_folder
from vitrine.quality.checks import TABLES, Check
from vitrine.quality.tables import Table

_RULES = {
    "in_set": gx.expectations.ExpectColumnValuesToBeInSet,
    "not_in_set": gx.expectations.ExpectColumnValuesToNotBeInSet,
    "between": gx.expectations.ExpectColumnValuesToBeBetween,
    "null": gx.expectations.ExpectColumnValuesToBeNull,
    "not_null": gx.expectations.ExpectColumnValuesToNotBeNull,
}
_SEVERITIES = {"error": "critical", "warning": "warning"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check went.

    Attributes:
        check: The check.
        passed: Whether the expectation is met; with `mostly`, although some rows may break it.
        judged: How many cells were looked at.
        broken: Where the rows that break it lie in the suite's table, counted from 0.
    """

    check: Check
    passed: bool
    judged: int
    broken: tuple[int, ...]

    @property
    def weight(self) -> Literal["error", "warning", "tolerated"]:
        """What the broken rows mean: the check's severity, or that few enough are tolerated."""
        return "tolerated" if self.passed else self.check.severity

    def found_in(self) -> str:
        """Return how many of the judged rows break the check: `3 of 8,000`."""
        return f"{len(self.broken):,} of {self.judged:,}"


def run_checks(checks: list[Check], tables: Mapping[str, Table], docs: Path) -> list[Outcome]:
    """Run the checks as Great Expectations suites, and render the results as Data Docs.

    Args:
        checks: What is expected.
        tables: What is checked, by name.
        docs: The folder that becomes the Data Docs; what was there is replaced.

    Returns:
        One outcome a check, in the order of the checks.
    """
    outcomes: list[Outcome] = []
    with atomic_folder(docs) as site:
        context = _context(site)
        for name, table in tables.items():
            members = [check for check in checks if TABLES[check.suite] == name]
            outcomes += _run_table(context, name, table, members)
        context.build_data_docs()
    return sorted(outcomes, key=lambda outcome: checks.index(outcome.check))


def _context(site: Path) -> Any:
    """Return a context that lives in memory, sends nothing and writes its docs to a folder."""
    backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(site.absolute())}
    docs = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "show_cta_footer": False,
        "store_backend": backend,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            data_docs_sites={"catalogue": docs},
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )


def _run_table(context: Any, name: str, table: Table, checks: list[Check]) -> Iterator[Outcome]:
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe("all")
    suites = {check.suite: [c for c in checks if c.suite == check.suite] for check in checks}
    validations = [
        gx.ValidationDefinition(
            name=suite, data=batch, suite=context.suites.add(_suite(suite, members))
        )
        for suite, members in suites.items()
    ]
    checkpoint = gx.Checkpoint(
        name=name,
        validation_definitions=[context.validation_definitions.add(v) for v in validations],
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [*table.keys]},
    )
    result = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": table.frame})
    by_name = {check.name: check for check in checks}
    for validation in result.run_results.values():
        for found in validation.results:
            yield _outcome(by_name[found.expectation_config.meta["check"]], found, table)


def _suite(name: str, checks: list[Check]) -> Any:
    expectations = [
        _RULES[check.rule](
            column=check.column,
            severity=_SEVERITIES[check.severity],
            description=check.title,
            meta={"check": check.name},
            **check.limits,
        )
        for check in checks
    ]
    return gx.ExpectationSuite(name=name, expectations=expectations)


def _outcome(check: Check, found: Any, table: Table) -> Outcome:
    if "element_count" not in found.result:
        raise RuntimeError(f"the check {check.name} could not be run: {found.exception_info}")
    broken = [
        tuple(row[key] for key in table.keys) for row in found.result["unexpected_index_list"]
    ]
    places = _places(table) if broken else {}
    judged = found.result["element_count"] - found.result.get("missing_count", 0)
    return Outcome(check, bool(found.success), judged, tuple(places[key] for key in broken))


def _places(table: Table) -> dict[tuple[Any, ...], int]:
    names = zip(*(table.frame[key] for key in table.keys), strict=True)
    return {name: place for place, name in enumerate(names)}
