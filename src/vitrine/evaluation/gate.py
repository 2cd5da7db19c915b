"""The gate: whether a bundle is good enough to be promoted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vitrine.core.params import RegisterParams
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.comparison import Comparison
from vitrine.evaluation.metrics import macro_f1


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of the gate.

    Args:
        passed: Whether it is met.
        text: What is required and what was found.
        figures: The numbers behind it, by name.
    """

    passed: bool
    text: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says: passed when every condition is met."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether the bundle may be promoted."""
        return all(check.passed for check in self.checks)

    @property
    def word(self) -> str:
        """`passed` or `failed`: the tag `gate` of a model version."""
        return "passed" if self.passed else "failed"

    @property
    def reasons(self) -> str:
        """The conditions that were not met, or when there is none, all that were; on one line."""
        decisive = [check.text for check in self.checks if check.passed == self.passed]
        return "; ".join(decisive)

    @property
    def figures(self) -> dict[str, float]:
        """The numbers behind all conditions, by name."""
        return {name: value for check in self.checks for name, value in check.figures.items()}


def check_floors(answers: Answers, section: RegisterParams) -> list[Check]:
    """Hold a bundle's answers on the test split against the floors, head by head.

    A head of which no test image has a label cannot be judged: it fails unless its floor is 0.
    """
    checks = []
    for head in answers.probabilities:
        floor = section.floors.get(head, {}).get("macro_f1", 0.0)
        if head in answers.judged:
            score = macro_f1(answers.known(head))
            text = f"the macro F1 of {head} must be at least {floor:.3f}, and is {score:.3f}"
            checks.append(Check(score >= floor, text, {f"{head}_macro_f1": round(score, 6)}))
        else:
            text = f"the macro F1 of {head} must be at least {floor:.3f}, but no test image has one"
            checks.append(Check(floor == 0, text))
    return checks


def check_champion(number: str, comparison: Comparison, section: RegisterParams) -> Check:
    """Hold a bundle against the champion on the same test images.

    Args:
        number: Of the champion's version.
        comparison: The scores, those of the judged bundle first.
        section: The margin.
    """
    if not comparison.mine:
        return Check(True, f"the champion, version {number}, knows other classes: not compared")
    mine, theirs = comparison.means
    text = (
        f"the mean macro F1 must be at least the {theirs:.3f} of the champion, version {number}, "
        f"on the same test images, less {section.margin:.3f}, and is {mine:.3f}"
    )
    figures = {"mean_macro_f1": round(mine, 6), "champion_mean_macro_f1": round(theirs, 6)}
    return Check(mine >= theirs - section.margin, text, figures)
