"""Labels: known ones, enough of each, and no contradictions."""

from collections.abc import Iterator

from vitrine.core.params import LabelsParams
from vitrine.core.taxonomy import HEADS, Taxonomy
from vitrine.quality.checks import Check, percent
from vitrine.quality.suites.integrity import other_row


def labels_checks(section: LabelsParams, taxonomy: Taxonomy) -> Iterator[Check]:
    """Yield the checks of the suite `labels`."""
    yield from _known(taxonomy)
    yield Check(
        name="conflicting_products",
        suite="labels",
        severity="error",
        title="the images of one product have the same category, "
        f"{percent(section.max_conflict_share)} aside",
        table="images",
        column="product",
        rule="agree",
        limits={"labels": ["category"], "mostly": 1 - section.max_conflict_share},
        reason="the image is of product {product!r}, as is {other} (line {other_line}), but has "
        "the category {category!r} instead of {other_category!r}; correct one of the two rows",
        extra=other_row("product", ["category"]),
        group="product",
    )
    yield from _enough(section)


def _known(taxonomy: Taxonomy) -> Iterator[Check]:
    for head in HEADS:
        yield Check(
            name=f"unknown_{head}",
            suite="labels",
            severity="error",
            title=f"every {head} is in taxonomy.yaml",
            table="images",
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
        table="images",
        column="pair",
        rule="not_in_set",
        limits={"value_set": [f"{style} + {category}" for style, category in taxonomy.forbidden]},
        reason="style {style!r} and category {category!r} are a forbidden pair in taxonomy.yaml; "
        "correct the row or remove the pair there",
    )


def _enough(section: LabelsParams) -> Iterator[Check]:
    yield Check(
        name="rare_classes",
        suite="labels",
        severity="error",
        title=f"every class has at least {section.min_images_per_class} images",
        table="classes",
        column="images",
        rule="between",
        limits={"min_value": section.min_images_per_class},
        reason="{head} {label!r} has too few images: "
        f"{{images}}, but needs {section.min_images_per_class}; "
        "add some, or remove the class from taxonomy.yaml and from its rows",
    )
    yield Check(
        name="missing_labels",
        suite="labels",
        severity="warning",
        title=f"at most {percent(section.max_missing_share)} of the images lack a style, or a "
        "category",
        table="heads",
        column="missing_share",
        rule="between",
        limits={"max_value": section.max_missing_share},
        reason="{missing:,} of {images:,} images have no {head}; label some",
    )
    yield Check(
        name="imbalance",
        suite="labels",
        severity="warning",
        title="the largest class has at most "
        f"{section.max_imbalance:g} times the images of the smallest",
        table="heads",
        column="imbalance",
        rule="between",
        limits={"max_value": section.max_imbalance},
        reason="{head} {largest!r} has {most:,} images, {smallest!r} only {least:,}; add images "
        "of the smaller classes, or join some",
    )
