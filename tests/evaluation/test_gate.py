"""What the gate asks of a bundle by itself, and its verdict."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from vitrine.bundle.format import load_info
from vitrine.bundle.golden import read_golden, write_golden
from vitrine.bundle.runtime import Runtime
from vitrine.core.digests import file_digest
from vitrine.core.params import Params, RegisterParams, override
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.gate import (
    Check,
    Verdict,
    check_calibration,
    check_data,
    check_floors,
    check_golden,
    check_latency,
    score,
)

TAXONOMY = Taxonomy(
    styles=(Label(name="plain"), Label(name="old")),
    categories=(Label(name="shoe"), Label(name="lamp")),
)


@pytest.fixture
def section(params: Params) -> RegisterParams:
    """Floors of 0.5 for macro F1."""
    floors = {"style": {"macro_f1": 0.5}, "category": {"macro_f1": 0.5}}
    return override(params.register_, {"floors": floors})


def _answers(style: list[int], category: list[int], answered: list[int]) -> Answers:
    """Answers with the same classes answered for both heads, with 0.9 each."""
    certain = np.where(np.eye(2)[answered] == 1, 0.9, 0.1)
    return Answers(
        TAXONOMY,
        [f"images/{number}.jpg" for number in range(len(answered))],
        {"style": np.array(style), "category": np.array(category)},
        {"style": certain, "category": certain},
    )


def _floors(answers: Answers, section: RegisterParams) -> list[Check]:
    return check_floors(answers, score(answers), section)


def test_each_head_is_held_against_its_floor(section: RegisterParams) -> None:
    style, category = _floors(_answers([0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]), section)
    assert (style.name, style.passed) == ("style macro_f1 floor", True)
    assert style.text == "the macro F1 of style must be at least 0.500, and is 1.000"
    assert style.figures == {"macro_f1": 1.0, "floor": 0.5}
    assert not category.passed
    assert category.text == "the macro F1 of category must be at least 0.500, and is 0.000"


@pytest.mark.parametrize(
    ("measure", "floor", "passed"),
    [
        ("accuracy", 0.75, True),
        ("accuracy", 0.76, False),
        ("balanced_accuracy", 0.83, True),
        ("top3_accuracy", 1.0, True),
        ("macro_precision", 0.76, False),
        ("weighted_f1", 0.76, True),
    ],
)
def test_any_measure_can_have_a_floor(
    section: RegisterParams, measure: str, floor: float, passed: bool
) -> None:
    # Of class 0 two of three are right, of class 1 the only one is.
    answers = _answers([0, 0, 0, 1], [-1] * 4, answered=[0, 0, 1, 1])
    strict = override(section, {"floors": {"style": {measure: floor}, "category": {}}})
    (check,) = _floors(answers, strict)
    assert check.passed is passed
    assert check.name == f"style {measure} floor"


@pytest.mark.parametrize(("floor", "passed"), [(0.5, False), (0.0, True)])
def test_a_head_without_any_label_cannot_be_judged(
    section: RegisterParams, floor: float, passed: bool
) -> None:
    limits = {"floors": {"style": {"macro_f1": floor}, "category": {"macro_f1": 0.5}}}
    answers = _answers([-1, -1], [0, 1], answered=[0, 1])
    style, _ = _floors(answers, override(section, limits))
    assert style.passed is passed
    assert style.text.endswith("but no test image has a style")


def test_probabilities_must_mean_what_they_say(section: RegisterParams) -> None:
    answers = _answers([0] * 10, [0] * 5 + [1] * 5, answered=[0] * 10)
    good, bad = check_calibration(answers, override(section, {"max_calibration_error": 0.1}))
    assert good.passed
    assert good.figures["calibration_error"] == pytest.approx(0.1)
    assert (bad.name, bad.passed) == ("category calibration", False)
    assert "of category must be at most 0.100, and is 0.400" in bad.text


def test_golden_answers_name_the_largest_difference(tiny_bundle: Path) -> None:
    check = check_golden(Runtime(tiny_bundle))
    assert check.passed
    assert 0 <= check.figures["difference"] <= 0.001
    assert "may be off by 0.001 from what the export answered" in check.text


def test_golden_answers_that_differ_are_a_reason(tiny_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    sources, expected = read_golden(bundle)
    write_golden(bundle, sources, {head: of[:, ::-1] for head, of in expected.items()})
    info = load_info(tiny_bundle)
    files = info.files | {"golden.npz": file_digest(bundle / "golden.npz")}
    info.model_copy(update={"files": files}).save(bundle)
    check = check_golden(Runtime(bundle))
    assert not check.passed
    assert "does not answer its golden images as it did" in check.text


@pytest.mark.parametrize(
    ("errors", "warnings", "found"), [(0, 1, "0 (1 warning)"), (2, 0, "2 (0 warnings)")]
)
def test_the_data_checks_must_have_passed(errors: int, warnings: int, found: str) -> None:
    check = check_data("validate", {"images": 9, "errors": errors, "warnings": warnings})
    assert check.name == "validate data checks"
    assert check.passed is (errors == 0)
    assert check.text == f"the data checks of validate must find no error, and found {found}"


@pytest.mark.parametrize(("limit", "passed"), [(4, True), (3, False)])
def test_an_answer_may_not_take_long(section: RegisterParams, limit: float, passed: bool) -> None:
    check = check_latency(3.25, override(section, {"max_latency_ms": limit}))
    assert check.passed is passed
    assert check.text.endswith(f"must take at most {limit} ms (median), and takes 3.25 ms")


GOOD = Check("one", True, "good | fine", {"a_b": 1.0})
BAD = Check("two", False, "bad", {"c": 0.123456789})


def test_a_verdict_names_what_failed_or_else_all_that_passed() -> None:
    failed, passed = Verdict((GOOD, BAD), "3", ("style",)), Verdict((GOOD, GOOD), "", ())
    assert (failed.word, failed.reasons) == ("failed", "bad")
    assert (passed.word, passed.reasons) == ("passed", "good | fine; good | fine")


@pytest.mark.parametrize(
    ("checks", "champion", "higher", "sentence"),
    [
        ((GOOD,), "", (), "the gate passed"),
        ((GOOD,), "3", (), "the gate passed: not worse than the champion, version 3"),
        (
            (GOOD,),
            "3",
            ("style", "category"),
            "the gate passed: better in style and category than the champion, version 3",
        ),
        ((GOOD, BAD), "3", ("style",), "the gate failed"),
    ],
)
def test_a_verdict_says_how_the_champion_was_met(
    checks: tuple[Check, ...], champion: str, higher: tuple[str, ...], sentence: str
) -> None:
    verdict = Verdict(checks, champion, higher)  # type: ignore[arg-type]
    assert verdict.sentence == sentence
    assert verdict.better is ("better" in sentence)


def test_a_verdict_as_a_document_and_as_tables() -> None:
    verdict = Verdict((GOOD, BAD), "3", ())
    assert verdict.document() == {
        "gate": "failed",
        "better": False,
        "checks": {
            "one": {"passed": True, "a_b": 1.0},
            "two": {"passed": False, "c": 0.123457},
        },
    }
    assert verdict.table().splitlines()[2:] == [r"| ✓ | good \| fine |", "| ✗ | bad |"]
    assert verdict.brief().splitlines()[2:] == ["| ✓ | one | a b 1 |", "| ✗ | two | c 0.1235 |"]
    worded = Verdict((Check("champion", False, "it does not load"),), "", ())
    assert worded.brief().splitlines()[2:] == ["| ✗ | champion | it does not load |"]
