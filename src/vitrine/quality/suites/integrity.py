"""Files and rows: there, readable, of an allowed kind, and each once."""

from collections.abc import Iterator, Sequence

from vitrine.core.params import IntegrityParams
from vitrine.core.taxonomy import HEADS
from vitrine.quality.checks import Check, percent


def other_row(key: str, labels: Sequence[str]) -> dict[str, str]:
    """Return columns about the first row of the same key that has another of some labels."""
    differs = " OR ".join(f"o.{label} <> i.{label}" for label in labels)
    rows = f"FROM images AS o WHERE o.{key} = i.{key} AND ({differs}) ORDER BY o.place LIMIT 1"
    names = {"other": "image", "other_line": "line", "other_labels": "labels"}
    names |= {f"other_{label}": label for label in labels}
    return {name: f"(SELECT o.{column} {rows})" for name, column in names.items()}


def integrity_checks(section: IntegrityParams) -> Iterator[Check]:
    """Yield the checks of the suite `integrity`."""
    yield from _files(section)
    yield from _duplicates(section)


def _files(section: IntegrityParams) -> Iterator[Check]:
    yield Check(
        name="missing_files",
        suite="integrity",
        severity="error",
        title="the file of every row exists",
        table="images",
        column="found",
        rule="in_set",
        limits={"value_set": [1]},
        reason="the file is missing; put it there or remove the row",
    )
    yield Check(
        name="unreadable",
        suite="integrity",
        severity="error",
        title="every file can be decoded",
        table="images",
        column="fault",
        rule="null",
        reason="{fault}; replace the file or remove the row",
    )
    yield Check(
        name="wrong_format",
        suite="integrity",
        severity="error",
        title="every format is allowed",
        table="images",
        column="format",
        rule="in_set",
        limits={"value_set": list(section.formats)},
        reason="the format is {format}, which validate.integrity.formats of params.yaml does not "
        "allow; convert the file or allow it there",
    )
    yield Check(
        name="wrong_extension",
        suite="integrity",
        severity="warning",
        title="every file's name ends as its format says",
        table="images",
        column="named_right",
        rule="in_set",
        limits={"value_set": [1]},
        reason="the file is {format}, but its name says otherwise; rename it, here and in its row",
    )
    yield Check(
        name="too_small",
        suite="integrity",
        severity="error",
        title=f"the shorter side has at least {section.min_side} pixels",
        table="images",
        column="shorter_side",
        rule="between",
        limits={"min_value": section.min_side},
        reason="the image has {width} x {height} pixels; replace it or remove the row",
    )
    yield Check(
        name="orphan_files",
        suite="integrity",
        severity="warning",
        title="every file in images/ has a row",
        table="files",
        column="listed",
        rule="in_set",
        limits={"value_set": [1]},
        reason="no row of manifest.csv or quarantine.csv names this file; add one or delete the "
        "file",
    )


def _duplicates(section: IntegrityParams) -> Iterator[Check]:
    allowed = percent(section.max_duplicate_share)
    yield Check(
        name="conflicting_duplicates",
        suite="integrity",
        severity="error",
        title=f"equal files have equal labels, {percent(section.max_conflict_share)} aside",
        table="images",
        column="sha256",
        rule="agree",
        limits={"labels": list(HEADS), "mostly": 1 - section.max_conflict_share},
        reason="the file has the same bytes as {other} (line {other_line}), but the labels "
        "{labels} instead of {other_labels}; correct one of the two rows",
        extra=other_row("sha256", HEADS),
        group="sha256",
    )
    yield Check(
        name="exact_duplicates",
        suite="integrity",
        severity="warning",
        title=f"at most {allowed} of the images repeat another one",
        table="images",
        column="repeats",
        rule="null",
        limits={"mostly": 1 - section.max_duplicate_share},
        reason="the file has the same bytes as {repeats}; remove one of the two rows",
        group="sha256",
    )
    yield Check(
        name="near_duplicates",
        suite="integrity",
        severity="warning",
        title=f"at most {allowed} of the images show nearly the same as another one",
        table="images",
        column="near",
        rule="null",
        limits={"mostly": 1 - section.max_duplicate_share},
        reason="the image shows nearly the same as {near}; keep the better one of the two",
        group="near_group",
    )
