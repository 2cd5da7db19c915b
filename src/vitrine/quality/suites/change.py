"""Change: how the data differs from its earlier version."""

from collections.abc import Iterator

from vitrine.core.params import ChangeParams
from vitrine.quality.checks import Check


def change_checks(section: ChangeParams) -> Iterator[Check]:
    """Yield the checks of the suite `change`."""
    for kind, limit in (("labels", section.max_label_psi), ("facts", section.max_fact_psi)):
        yield Check(
            name=f"shifted_{kind}",
            suite="change",
            severity="warning",
            title=f"the {kind} are spread as before (stability index at most {limit:g})",
            table="shifts",
            column=f"shifted_{kind}",
            rule="in_set",
            limits={"value_set": [0]},
            reason="{feature}: {detail} (stability index {psi:.2f}, limit {psi_limit:.2f}); make "
            "sure that this is meant",
        )
    yield Check(
        name="vanished_classes",
        suite="change",
        severity="warning",
        title="every class that had images still has some",
        table="earlier_classes",
        column="images_now",
        rule="between",
        limits={"min_value": 1},
        reason="{head} {label!r} had {images_before:,} images and has none now; make sure that "
        "this is meant",
    )
    yield Check(
        name="replaced_images",
        suite="change",
        severity="warning",
        title="no file was replaced under its old name",
        table="images",
        column="earlier_md5",
        rule="null",
        reason="the file is another one than in the earlier version (md5 {md5:.8} instead of "
        "{earlier_md5:.8}); make sure that this is meant, or give the new picture a new name",
    )
