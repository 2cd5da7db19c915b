"""The suites of checks, a module a suite."""

import difflib
from dataclasses import replace

from vitrine.core.errors import ParamsError
from vitrine.core.params import Severities, ValidateParams
from vitrine.core.taxonomy import Taxonomy
from vitrine.quality.checks import Check
from vitrine.quality.suites.change import change_checks
from vitrine.quality.suites.integrity import integrity_checks
from vitrine.quality.suites.labels import labels_checks
from vitrine.quality.suites.leakage import leakage_checks
from vitrine.quality.suites.looks import Typical, looks_checks

__all__ = ["Typical", "leakage_checks", "validate_checks", "with_severities"]


def validate_checks(section: ValidateParams, taxonomy: Taxonomy, typical: Typical) -> list[Check]:
    """Return every check of the stage validate, in the order in which people read them.

    Args:
        section: The thresholds, and the severities that differ from the usual ones.
        taxonomy: Of the catalogue.
        typical: What is usual in the catalogue.

    Raises:
        ParamsError: `severity` names a check that does not exist.
    """
    checks = [
        *integrity_checks(section.integrity),
        *labels_checks(section.labels, taxonomy),
        *looks_checks(section.quality, typical),
        *change_checks(section.change),
    ]
    return with_severities(checks, section.severity, "validate")


def with_severities(checks: list[Check], severities: Severities, stage: str) -> list[Check]:
    """Return the checks with some severities changed, without those that are `off`.

    Args:
        checks: With their usual severities.
        severities: Of single checks by name: `error`, `warning` or `off`.
        stage: Whose parameters these are.

    Raises:
        ParamsError: There is no check of a name.
    """
    known = [check.name for check in checks]
    for name in severities:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ParamsError(
                f"params.yaml: {stage}.severity names {name!r}, which is no check; {hint}"
            )
    wanted = [(check, severities.get(check.name, check.severity)) for check in checks]
    return [replace(check, severity=severity) for check, severity in wanted if severity != "off"]
