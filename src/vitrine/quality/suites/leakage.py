"""Leakage: nothing that is in one split is in another. Run on what `prepare` wrote."""

from collections.abc import Iterator

from vitrine.quality.checks import Check
from vitrine.quality.suites.integrity import other_row


def leakage_checks() -> Iterator[Check]:
    """Yield the checks of the suite `leakage`."""
    kinds = {
        "leaked_products": ("product", "no product", "is of the same product as"),
        "leaked_duplicates": ("sha256", "no file", "has the same bytes as"),
        "leaked_near_duplicates": ("near_group", "no near-duplicate", "shows nearly the same as"),
    }
    for name, (key, what, how) in kinds.items():
        yield Check(
            name=name,
            suite="leakage",
            severity="error",
            title=f"{what} is in more than one of train, val and test",
            table="images",
            column=key,
            rule="agree",
            limits={"labels": ["split"]},
            reason=f"the image is in {{split}}, but {how} {{other}} (line {{other_line}}) in "
            "{other_split}; give both the same split in manifest.csv, or none",
            extra=other_row(key, ["split"]),
            group=key,
        )
