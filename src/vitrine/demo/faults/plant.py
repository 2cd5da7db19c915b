"""Plant faults into a catalogue, and say what must be found there."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from vitrine.core.errors import DataError
from vitrine.core.progress import track
from vitrine.demo.chance import chance
from vitrine.demo.faults.kinds import FAULTS
from vitrine.demo.faults.planting import Planted, Planting
from vitrine.demo.faults.pool import MIN_SIDE

MAY_ALSO: Mapping[str, frozenset[str]] = {
    fault: frozenset(checks.split())
    for fault, checks in {
        "empty": "exact_duplicates",
        "tiny": "odd_size blurry",
        "relabelled_duplicate": "exact_duplicates",
        "resized": "odd_size",
        "dark": "low_information blurry greyscale",
        "bright": "low_information blurry greyscale",
        "blurred": "low_information",
        "flat": "blurry near_duplicates",
        "thin": "odd_size blurry",
    }.items()
}
"""Checks that may name an image with a fault beside the one that must, and be right."""


def plant_faults(
    root: Path, each: int, seed: int, only: Collection[str] | None = None
) -> list[Planted]:
    """Plant faults into a catalogue: so many of each kind, every one into another image.

    The faults go into images that are ordinary otherwise. A copy comes behind its original in the
    manifest, under a name of its own. A row whose labels or split are changed leaves its product,
    so that the fault stays in that row. The same catalogue, numbers and seed give the same bytes.

    Only `missing` deletes a file. What `link_outside` links to goes into a folder beside `root`
    (`data-outside` beside `data`); `dvc add` puts the file back in the link's place.

    A catalogue without styles gets no `forbidden_pair`; one where every pair of labels occurs gets
    a new category for it, which `rare_classes` names while it is rare.

    Args:
        root: The data folder, which is changed.
        each: How many of each fault.
        seed: Of every choice.
        only: Names out of `FAULTS`; all by default.

    Returns:
        What must be found: one entry for each check and image.

    Raises:
        DataError: The catalogue cannot be read, has too few ordinary images, or has been planted
            into before; nothing is changed then.
    """
    names = _chosen(each, only)
    planting = Planting(root, chance(seed, "faults"))
    needed = each * sum(FAULTS[name].victims for name in names)
    if needed > planting.pool.size:
        raise DataError(
            f"{root} has {planting.pool.size} ordinary images (of at least {MIN_SIDE} pixels, and "
            f"nothing odd about them), but {each} of each fault need {needed}: "
            "plant fewer of each, or plant into a larger catalogue"
        )
    planted = []
    for name in track(names, "Planting faults", len(names)):
        for number in range(1, each + 1):
            rng = chance(seed, "faults", name, number)
            found = FAULTS[name].plant(planting, rng, f"{name}-{number:04}")
            planted += [Planted(name, check, image, note) for check, image, note in found]
    planting.write()
    return planted


def _chosen(each: int, only: Collection[str] | None) -> list[str]:
    if each < 1:
        raise DataError(f"the number of each fault must be at least 1, but got {each}")
    unknown = sorted(set(only or ()) - set(FAULTS))
    if unknown:
        raise DataError(f"fault {unknown[0]!r} is not known; choose from {', '.join(FAULTS)}")
    return [name for name in FAULTS if only is None or name in only]


def describe(planted: Iterable[Planted]) -> str:
    """Return a table: each fault, how many images the check must name, and the first of them."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for one in planted:
        key = (one.fault, one.check)
        counts[key] += 1
        first.setdefault(key, one.image)
    lines = [f"{'Planted':<22}  {'must be named by':<22}  {'images':>6}  first"]
    for (fault, check), number in counts.items():
        lines.append(f"{fault:<22}  {check:<22}  {number:>6}  {first[fault, check]}")
    return "\n".join(lines)
