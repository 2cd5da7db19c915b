"""The gate: whether a bundle is good enough to be promoted. What it must be by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vitrine.bundle.golden import allowed, prove
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import BundleError
from vitrine.core.markdown import plain, table
from vitrine.core.params import RegisterParams
from vitrine.core.taxonomy import Head
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.metrics import class_scores, measures
from vitrine.evaluation.reliability import calibration_error, reliability

CALIBRATION_BINS = 15
DIGITS = 6

Scores = Mapping[Head, Mapping[str, float]]
"""By head that can be judged, its measures by name."""


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of the gate.

    Args:
        name: Which condition: always the same words.
        passed: Whether it is met.
        text: What is required and what was found.
        figures: The numbers behind it, by name.
    """

    name: str
    passed: bool
    text: str
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """A tick or a cross."""
        return "✓" if self.passed else "✗"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says: passed when every condition is met.

    Args:
        checks: The conditions.
        champion: The version that the bundle was compared with; empty for none.
        higher: The heads whose accuracy is higher than the champion's beyond chance.
    """

    checks: tuple[Check, ...]
    champion: str
    higher: tuple[Head, ...]

    @property
    def passed(self) -> bool:
        """Whether the bundle may be promoted."""
        return all(check.passed for check in self.checks)

    @property
    def better(self) -> bool:
        """Whether it may be promoted, and is better than the champion beyond chance."""
        return self.passed and bool(self.higher)

    @property
    def word(self) -> str:
        """`passed` or `failed`: the tag `gate` of a model version."""
        return "passed" if self.passed else "failed"

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if not self.passed or not self.champion:
            return f"the gate {self.word}"
        how = f"better in {' and '.join(self.higher)} than" if self.better else "not worse than"
        return f"the gate passed: {how} the champion, version {self.champion}"

    @property
    def reasons(self) -> str:
        """The conditions that were not met, or when there is none, all that were; on one line."""
        decisive = [check.text for check in self.checks if check.passed == self.passed]
        return "; ".join(decisive)

    def table(self) -> str:
        """Return all conditions with the whole text, as a table in Markdown."""
        rows = ((check.mark, plain(check.text)) for check in self.checks)
        return table(("", "condition"), rows) + "\n"

    def brief(self) -> str:
        """Return all conditions by name and number, or text where there is none, as a table."""
        rows = (
            (check.mark, check.name, plain(_numbers(check.figures) or check.text))
            for check in self.checks
        )
        return table(("", "check", "found"), rows) + "\n"

    def document(self) -> dict[str, Any]:
        """Return the verdict for JSON: `gate`, `better`, and the numbers of each check by name."""
        return {
            "gate": self.word,
            "better": self.better,
            "checks": {
                check.name: {"passed": check.passed}
                | {name: round(value, DIGITS) for name, value in check.figures.items()}
                for check in self.checks
            },
        }


def _numbers(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in figures.items())


def score(answers: Answers) -> Scores:
    """Return the measures of a bundle's heads on the test split, those that can be judged."""
    known = {head: answers.known(head) for head in answers.judged}
    return {head: measures(of, class_scores(of)) for head, of in known.items()}


def check_floors(answers: Answers, scores: Scores, section: RegisterParams) -> list[Check]:
    """Hold a bundle's measures against the floors, head by head.

    A head of which no test image has a label cannot be judged: it fails unless its floor is 0. A
    head that the taxonomy has no labels for has no floor.
    """
    checks = []
    for head in answers.probabilities:
        for measure, floor in section.floors.get(head, {}).items():
            words = measure.replace("_", " ").replace("f1", "F1")
            text = f"the {words} of {head} must be at least {floor:.3f}"
            name = f"{head} {measure} floor"
            if head in scores:
                found = scores[head][measure]
                text = f"{text}, and is {found:.3f}"
                checks.append(Check(name, found >= floor, text, {measure: found, "floor": floor}))
            else:
                text = f"{text}, but no test image has a {head}"
                checks.append(Check(name, floor == 0, text, {"floor": floor}))
    return checks


def check_calibration(answers: Answers, section: RegisterParams) -> list[Check]:
    """Hold the calibration error of each head that can be judged against its limit."""
    checks = []
    for head in answers.judged:
        error = calibration_error(reliability(answers.known(head), CALIBRATION_BINS))
        limit = section.max_calibration_error
        text = (
            f"the calibration error of {head} must be at most {limit:.3f}, and is {error:.3f}: so "
            "far are its probabilities from how often it is right"
        )
        checks.append(
            Check(f"{head} calibration", error <= limit, text, {"calibration_error": error})
        )
    return checks


def check_golden(runtime: Runtime) -> Check:
    """Let a bundle answer its golden images, and compare with what the export answered."""
    name = "golden answers"
    try:
        difference = prove(runtime)
    except BundleError as error:
        return Check(name, False, str(error))
    most = allowed(runtime.info, runtime.precision)
    text = (
        f"a probability of the golden images may be off by {most:.2g} from what the export "
        f"answered, and is off by {difference:.2g} at most"
    )
    return Check(name, True, text, {"difference": difference})


def check_data(stage: str, metrics: Mapping[str, float]) -> Check:
    """Make sure that the data checks of a stage found no error.

    Args:
        stage: `validate` or `prepare`.
        metrics: What its metrics.json holds: among them `errors` and `warnings`.
    """
    errors, warnings = (int(metrics[name]) for name in ("errors", "warnings"))
    text = (
        f"the data checks of {stage} must find no error, and found {errors} "
        f"({_count(warnings, 'warning')})"
    )
    figures = {"errors": errors, "warnings": warnings}
    return Check(f"{stage} data checks", errors == 0, text, figures)


def check_latency(milliseconds: float, section: RegisterParams) -> Check:
    """Hold the median time of one image on one CPU thread against its limit."""
    limit = section.max_latency_ms
    text = (
        f"one image on one CPU thread must take at most {limit:g} ms (median), and takes "
        f"{milliseconds:.3g} ms"
    )
    return Check("latency", milliseconds <= limit, text, {"milliseconds": milliseconds})


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
