"""What is expected of a catalogue: each check as data, with the words for a row that breaks it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vitrine.core.params import ValidateParams
from vitrine.core.taxonomy import HEADS, Taxonomy

Severity = Literal["error", "warning"]
Suite = Literal["integrity", "files", "labels", "classes", "quality"]
TABLES: Mapping[Suite, str] = {
    "integrity": "images",
    "files": "files",
    "labels": "images",
    "classes": "classes",
    "quality": "images",
}
"""Which table of `vitrine.quality.tables` the columns of a suite belong to."""

Rule = Literal["in_set", "not_in_set", "between", "null", "not_null"]


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of the cells of a column.

    Attributes:
        name: Its key in the metrics and lists.
        suite: What it belongs to.
        severity: `error` stops the pipeline, `warning` is only reported.
        title: What should hold, in words.
        column: Of the suite's table. Empty cells are judged only by the rules about emptiness.
        rule: How a cell is judged.
        limits: The rule's values, and `mostly`, the share of cells that must keep it (1 without).
        reason: What a row that breaks it has, and what to do: a template over the row's columns.
    """

    name: str
    suite: Suite
    severity: Severity
    title: str
    column: str
    rule: Rule
    reason: str
    limits: Mapping[str, Any] = field(default_factory=dict)

    def explain(self, row: Mapping[str, Any]) -> str:
        """Return why a row of the suite's table breaks the check, and what to do."""
        return self.reason.format_map(row)


def all_checks(section: ValidateParams, taxonomy: Taxonomy) -> list[Check]:
    """Return every check, in the order in which people read them."""
    return [
        *_integrity(section),
        *_labels(taxonomy),
        _agreement(section),
        _enough_images(section),
        *_enough_labels(section, taxonomy),
        *_quality(section),
    ]


def _integrity(section: ValidateParams) -> Iterator[Check]:
    yield Check(
        name="missing_files",
        suite="integrity",
        severity="error",
        title="the file of every row exists",
        column="exists",
        rule="in_set",
        limits={"value_set": [True]},
        reason="the file is missing; put it there or remove the row",
    )
    yield Check(
        name="unreadable",
        suite="integrity",
        severity="error",
        title="every file can be decoded",
        column="fault",
        rule="null",
        reason="{fault}; replace the file or remove the row",
    )
    yield Check(
        name="wrong_format",
        suite="integrity",
        severity="error",
        title="every format is allowed",
        column="format",
        rule="in_set",
        limits={"value_set": list(section.formats)},
        reason="the format is {format}, which validate.formats of params.yaml does not allow; "
        "convert the file or allow it there",
    )
    yield Check(
        name="too_small",
        suite="integrity",
        severity="error",
        title=f"the shorter side has at least {section.min_side} pixels",
        column="shorter_side",
        rule="between",
        limits={"min_value": section.min_side},
        reason="the image has {width} x {height} pixels; replace it or remove the row",
    )
    yield Check(
        name="orphan_files",
        suite="files",
        severity="warning",
        title="every file in images/ has a row",
        column="listed",
        rule="in_set",
        limits={"value_set": [True]},
        reason="no row of manifest.csv names this file; add one or delete the file",
    )


def _labels(taxonomy: Taxonomy) -> Iterator[Check]:
    for head in HEADS:
        yield Check(
            name=f"unknown_{head}",
            suite="labels",
            severity="error",
            title=f"every {head} is in taxonomy.yaml",
            column=head,
            rule="in_set",
            limits={"value_set": list(taxonomy.names(head))},
            reason=f"{head} {{{head}!r}} is not in taxonomy.yaml; add it there or correct the row",
        )
    yield Check(
        name="forbidden_pairs",
        suite="labels",
        severity="error",
        title="no forbidden pair of style and category",
        column="pair",
        rule="not_in_set",
        limits={"value_set": [f"{style} + {category}" for style, category in taxonomy.forbidden]},
        reason="style {style!r} and category {category!r} are a forbidden pair in taxonomy.yaml; "
        "correct the row or remove the pair there",
    )


def _agreement(section: ValidateParams) -> Check:
    return Check(
        name="conflicting_duplicates",
        suite="labels",
        severity="error",
        title=f"equal files have equal labels, {_percent(section.max_conflict_share)} aside",
        column="conflict",
        rule="null",
        limits={"mostly": 1 - section.max_conflict_share},
        reason="{conflict}; correct one of the two rows",
    )


def _enough_images(section: ValidateParams) -> Check:
    return Check(
        name="rare_classes",
        suite="classes",
        severity="error",
        title=f"every class has at least {section.min_images_per_class} images",
        column="images",
        rule="between",
        limits={"min_value": section.min_images_per_class},
        reason="{head} {label!r} has too few images: "
        f"{{images}}, but needs {section.min_images_per_class}; "
        "add some, or remove the class from taxonomy.yaml and from its rows",
    )


def _enough_labels(section: ValidateParams, taxonomy: Taxonomy) -> Iterator[Check]:
    for head in HEADS:
        if taxonomy.labels(head):
            yield Check(
                name=f"missing_{head}",
                suite="labels",
                severity="warning",
                title=f"at most {_percent(section.max_missing_share)} of the images have no {head}",
                column=head,
                rule="not_null",
                limits={"mostly": 1 - section.max_missing_share},
                reason=f"no {head} is given; label the image",
            )


def _quality(section: ValidateParams) -> Iterator[Check]:
    yield Check(
        name="exact_duplicates",
        suite="quality",
        severity="warning",
        title=f"at most {_percent(section.max_duplicate_share)} of the images repeat another one",
        column="repeats",
        rule="null",
        limits={"mostly": 1 - section.max_duplicate_share},
        reason="the file has the same bytes as {repeats}; remove one of the two rows",
    )
    yield Check(
        name="low_contrast",
        suite="quality",
        severity="warning",
        title=f"the grey levels deviate by at least {section.min_contrast:g}",
        column="contrast",
        rule="between",
        limits={"min_value": section.min_contrast},
        reason="hardly anything is to be seen: the grey levels deviate by {contrast:.1f} only; "
        "replace the image or remove the row",
    )
    yield Check(
        name="long_and_thin",
        suite="quality",
        severity="warning",
        title=f"no side is more than {section.max_aspect_ratio:g} times the other",
        column="aspect_ratio",
        rule="between",
        limits={"max_value": section.max_aspect_ratio},
        reason="the image has {width} x {height} pixels; crop it",
    )


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
