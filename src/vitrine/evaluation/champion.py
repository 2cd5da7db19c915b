"""The gate's conditions against the champion, on the same test images."""

from collections.abc import Sequence

from vitrine.core.params import RegisterParams
from vitrine.core.taxonomy import Head
from vitrine.evaluation.contest import SIGNIFICANCE, Contest, HeadContest, SliceChange
from vitrine.evaluation.gate import Check

CONFIDENCE = 0.95
TWO_SIDED = 2 * CONFIDENCE - 1
"""The interval each of whose ends is a bound with that confidence."""
NAMED = 10
"""How many collapsed slices are named, the worst first."""


def check_champion(number: str, contest: Contest, section: RegisterParams) -> list[Check]:
    """Return all conditions against the champion.

    Args:
        number: Of the champion's version.
        contest: The bundle, first, against the champion; slices one-sided.
        section: The limits.
    """
    return [
        *(check_accuracy(number, one, section) for one in contest.heads),
        *(check_macro_f1(number, one, section) for one in contest.heads),
        *(_note_other_classes(number, head) for head in contest.apart),
        check_slices(number, contest.slices, section),
        check_latency_ratio(number, contest.latencies, section),
    ]


def check_accuracy(number: str, one: HeadContest, section: RegisterParams) -> Check:
    """Demand proof that a head is not less accurate than the champion by the margin.

    The lower 95 % bound of the difference must lie above -margin, so a model that is worse by the
    margin is refused 95 times in 100, however many test images there are.

    Args:
        number: Of the champion's version.
        one: The bundle, first, against the champion.
        section: The margin.
    """
    counts, margin = one.counts, section.margin
    low, high = counts.bounds(TWO_SIDED)
    mine, theirs = one.accuracy
    passed = low > -margin
    text = (
        f"the accuracy of {one.head} must not be below that of the champion, version {number}, by "
        f"{margin:.3f} or more: it is {mine:.3f} against {theirs:.3f} on the same "
        f"{counts.images:,} test images; the difference is {counts.difference:+.3f}, and with 95 % "
        f"confidence above {low:+.3f}"
    )
    if not passed and high > 0:
        text += (
            f"; that may be chance, for which about {counts.images_needed(margin, CONFIDENCE):,} "
            "test images would be needed to tell: add some, or raise register.margin, or promote "
            'it all the same with `vitrine promote N --force --reason "…"`'
        )
    figures = {
        "accuracy": mine,
        "champion_accuracy": theirs,
        "difference": counts.difference,
        "low": low,
        "high": high,
        "chance": counts.chance(),
        "images": counts.images,
        "design_effect": counts.design,
    }
    return Check(f"{one.head} accuracy vs champion", passed, text, figures)


def check_macro_f1(number: str, one: HeadContest, section: RegisterParams) -> Check:
    """Refuse a head whose macro F1 is below the champion's by the margin and beyond chance.

    Args:
        number: Of the champion's version.
        one: The bundle, first, against the champion.
        section: The margin.
    """
    change, margin = one.macro_f1, section.margin
    text = (
        f"the macro F1 of {one.head} must not be below that of the champion, version {number}, by "
        f"more than {margin:.3f} and beyond chance: it is {change.first:.3f} against "
        f"{change.second:.3f}, and the difference lies between {change.low:+.3f} and "
        f"{change.high:+.3f} with 95 % confidence"
    )
    figures = {
        "macro_f1": change.first,
        "champion_macro_f1": change.second,
        "difference": change.difference,
        "low": change.low,
        "high": change.high,
    }
    passed = change.difference >= -margin or change.high >= 0
    return Check(f"{one.head} macro_f1 vs champion", passed, text, figures)


def _note_other_classes(number: str, head: Head) -> Check:
    text = f"the champion, version {number}, knows other classes of {head}, or none: not compared"
    return Check(f"{head} vs champion", True, text)


def check_slices(number: str, changes: Sequence[SliceChange], section: RegisterParams) -> Check:
    """Refuse a bundle that has become much worse than the champion on some slice.

    Args:
        number: Of the champion's version.
        changes: The bundle, first, against the champion, by slice and head; tested one-sided.
        section: How much a slice may lose.
    """
    name, limit = "slices vs champion", section.max_slice_drop
    if not changes:
        least = section.min_slice_images
        return Check(name, True, f"no slice has {least} test images or more: none was compared")
    falling = sorted(changes, key=lambda change: change.counts.difference)
    worst = falling[0]
    collapsed = [
        change
        for change in falling
        if change.counts.difference < -limit and change.chance < SIGNIFICANCE
    ]
    figures = {
        "slices": len(changes),
        "collapsed": len(collapsed),
        "worst_difference": worst.counts.difference,
    }
    told = "; ".join(map(_tell, collapsed[:NAMED])) or f"the worst is {_tell(worst)}"
    if len(collapsed) > NAMED:
        told += f"; and {len(collapsed) - NAMED} more"
    text = (
        f"no slice may be less accurate than with the champion, version {number}, by more than "
        f"{limit:.3f} and beyond chance: {len(collapsed)} of {len(changes)} are: {told}"
    )
    return Check(name, not collapsed, text, figures)


def _tell(change: SliceChange) -> str:
    mine, theirs = change.accuracy
    return (
        f"{change.head} of {change.name} ({mine:.3f} against {theirs:.3f}, "
        f"{change.counts.images:,} images)"
    )


def check_latency_ratio(
    number: str, medians: tuple[float, float], section: RegisterParams
) -> Check:
    """Hold the median time of one image against the champion's, measured side by side.

    Args:
        number: Of the champion's version.
        medians: In milliseconds: of the bundle, then of the champion.
        section: How many times as long it may take.
    """
    mine, theirs = medians
    ratio, limit = mine / theirs, section.max_latency_ratio
    text = (
        f"one image must take at most {limit:g} times as long as with the champion, version "
        f"{number}, and takes {ratio:.2f} times as long ({mine:.3g} against {theirs:.3g} ms)"
    )
    figures = {"ratio": ratio, "milliseconds": mine, "champion_milliseconds": theirs}
    return Check("latency vs champion", ratio <= limit, text, figures)


def note_test_split(number: str, judged_on: str, digest: str) -> Check:
    """Say whether the champion was judged on the same test split when it was registered.

    Both are judged on the present one in any case, so this decides nothing.

    Args:
        number: Of the champion's version.
        judged_on: The digest of the test split that its version notes; empty for none.
        digest: Of the present test split.
    """
    if judged_on == digest:
        text = f"the champion, version {number}, was registered with the same test split"
    else:
        change = "has changed since" if judged_on else "may have changed since"
        text = (
            f"the test split {change} the champion, version {number}, was judged: both were judged "
            "anew on this one"
        )
    return Check("test split vs champion", True, text, {"changed": float(judged_on != digest)})
