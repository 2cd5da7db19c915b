"""Great Expectations, and only here: checks become suites, their results outcomes and Data Docs.

The tables lie in an SQLite file and are checked there, by SQL: neither they nor the rows that break
a check are ever in memory.
"""

import ast
import re
from collections.abc import Iterator
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
from vitrine.quality.agreement import ExpectGroupsToAgree
from vitrine.quality.checks import Check
from vitrine.quality.data_docs import make_offline

_RULES: dict[str, Any] = {
    "in_set": gx.expectations.ExpectColumnValuesToBeInSet,
    "not_in_set": gx.expectations.ExpectColumnValuesToNotBeInSet,
    "between": gx.expectations.ExpectColumnValuesToBeBetween,
    "null": gx.expectations.ExpectColumnValuesToBeNull,
    "not_null": gx.expectations.ExpectColumnValuesToNotBeNull,
    "agree": ExpectGroupsToAgree,
}
_SEVERITIES = {"error": "critical", "warning": "warning"}
_RESULT = {
    "result_format": "SUMMARY",
    "partial_unexpected_count": 20,
    "return_unexpected_index_query": True,
}
"""What the results hold of the rows that break a check: how many, some, and how to find all."""

_PYTHON_TEXT = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*'(?:[^"\\]|\\.)*\"""")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check went.

    Attributes:
        check: The check.
        passed: Whether the expectation is met; with `mostly`, although some rows may break it.
        judged: How many cells were looked at.
        broken: How many of them break the check.
        query: SQL that selects the `place` of the rows that do, from the check's table.
    """

    check: Check
    passed: bool
    judged: int
    broken: int
    query: str

    @property
    def weight(self) -> Literal["error", "warning", "tolerated"]:
        """What the broken rows mean: the check's severity, or that few enough are tolerated."""
        return "tolerated" if self.passed else self.check.severity

    def found_in(self) -> str:
        """Return how many of the judged rows break the check: `3 of 8,000`."""
        return f"{self.broken:,} of {self.judged:,}"


def run_checks(checks: list[Check], database: Path, docs: Path) -> list[Outcome]:
    """Run the checks as Great Expectations suites, and render the results as Data Docs.

    Args:
        checks: What is expected.
        database: The SQLite file with the tables that are checked, each with a key `place`.
        docs: The folder that becomes the Data Docs, readable offline; what was there is replaced.

    Returns:
        One outcome a check, in the order of the checks.
    """
    outcomes: list[Outcome] = []
    with atomic_folder(docs) as site:
        context = _context(site)
        source = context.data_sources.add_sqlite(
            "catalogue", connection_string=f"sqlite:///{database.absolute()}"
        )
        try:
            for table in dict.fromkeys(check.table for check in checks):
                members = [check for check in checks if check.table == table]
                outcomes += _run_table(context, source, table, members)
        finally:
            source.get_engine().dispose()
        context.build_data_docs()
        make_offline(site)
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


def _run_table(context: Any, source: Any, table: str, checks: list[Check]) -> Iterator[Outcome]:
    asset = source.add_table_asset(table, table_name=table)
    batch = asset.add_batch_definition_whole_table("all")
    suites = {check.suite: [c for c in checks if c.suite == check.suite] for check in checks}
    validations = []
    for suite, members in suites.items():
        name = suite if table == "images" else f"{suite} of {table.replace('_', ' ')}"
        added = context.suites.add(_suite(name, members))
        validation = gx.ValidationDefinition(name=name, data=batch, suite=added)
        validations.append(context.validation_definitions.add(validation))
    checkpoint = gx.Checkpoint(
        name=table,
        validation_definitions=validations,
        result_format={**_RESULT, "unexpected_index_column_names": ["place"]},
    )
    run = gx.RunIdentifier(run_name="data checks")
    result = context.checkpoints.add(checkpoint).run(run_id=run)
    by_name = {check.name: check for check in checks}
    for validated in result.run_results.values():
        for found in validated.results:
            yield _outcome(by_name[found.expectation_config.meta["check"]], found)


def _suite(name: str, checks: list[Check]) -> Any:
    expectations = [
        _RULES[check.rule](
            column=check.column,
            severity=_SEVERITIES[check.severity],
            description=f"{check.title} ({check.name})",
            meta={"check": check.name},
            **check.limits,
        )
        for check in checks
    ]
    return gx.ExpectationSuite(name=name, expectations=expectations)


def _outcome(check: Check, found: Any) -> Outcome:
    result = found.result
    if "element_count" not in result:
        raise RuntimeError(f"the check {check.name} could not be run: {found.exception_info}")
    judged = result["element_count"] - result.get("missing_count", 0)
    query = _as_sql(result["unexpected_index_query"].rstrip().removesuffix(";"))
    broken = int(result["unexpected_count"] or 0)  # None of an empty table
    return Outcome(check, bool(found.success) or not judged, judged, broken, query)


def _as_sql(query: str) -> str:
    """Return a query with the texts in it as SQL writes them: they come as Python does."""

    def written(found: re.Match[str]) -> str:
        text = str(ast.literal_eval(found[0])).replace("'", "''")
        return f"'{text}'"

    return _PYTHON_TEXT.sub(written, query)
