"""How well the checks found what was planted."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from vitrine.demo.faults.plant import MAY_ALSO
from vitrine.demo.faults.planting import Planted

Found = Mapping[str, Collection[str]]
"""The images that each check names."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well one check found what was planted for it.

    Attributes:
        planted: Images that it had to name.
        found: Images that it named, and had not before.
        right: Images that it had to name and did.
    """

    planted: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """The share of what was named that was planted; 1 where nothing was named."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of what was planted that was named."""
        return self.right / self.planted


def score_checks(planted: Collection[Planted], before: Found, after: Found) -> dict[str, Score]:
    """Return the score of each check for which something was planted.

    What a check named before is not counted, nor an image whose fault it may name as well
    (`MAY_ALSO`).

    Args:
        planted: What was planted.
        before: What was found in the catalogue as it was.
        after: What was found with the faults in it.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    excused: dict[str, set[str]] = defaultdict(set)
    for one in planted:
        wanted[one.check].add(one.image)
        for check in MAY_ALSO.get(one.fault, ()):
            excused[check].add(one.image)
    scores = {}
    for check, images in wanted.items():
        found = set(after.get(check, ())) - set(before.get(check, ())) - (excused[check] - images)
        scores[check] = Score(len(images), len(found), len(found & images))
    return scores
