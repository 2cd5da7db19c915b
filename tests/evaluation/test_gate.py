"""The gate's conditions and its verdict."""

import numpy as np
import pytest

from vitrine.core.params import Params, RegisterParams, override
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.comparison import Comparison
from vitrine.evaluation.gate import Check, Verdict, check_champion, check_floors

TAXONOMY = Taxonomy(
    styles=(Label(name="plain"), Label(name="old")),
    categories=(Label(name="shoe"), Label(name="lamp")),
)


@pytest.fixture
def section(params: Params) -> RegisterParams:
    """Floors of 0.5 and a margin of 0.1."""
    limits = {
        "floors": {"style": {"macro_f1": 0.5}, "category": {"macro_f1": 0.5}},
        "margin": 0.1,
    }
    return override(params.register_, limits)


def _answers(style: list[int], category: list[int], answered: list[int]) -> Answers:
    """Answers with the same classes answered for both heads, all but surely."""
    certain = np.where(np.eye(2)[answered] == 1, 0.9, 0.1)
    return Answers(
        TAXONOMY,
        [f"images/{number}.jpg" for number in range(len(answered))],
        {"style": np.array(style), "category": np.array(category)},
        {"style": certain, "category": certain},
    )


def test_each_head_is_held_against_its_floor(section: RegisterParams) -> None:
    style, category = check_floors(
        _answers([0, 1, 0, 1], [1, 0, 1, 0], answered=[0, 1, 0, 1]), section
    )
    assert style.passed
    assert style.text == "the macro F1 of style must be at least 0.500, and is 1.000"
    assert style.figures == {"style_macro_f1": 1.0}
    assert not category.passed
    assert category.text == "the macro F1 of category must be at least 0.500, and is 0.000"


def test_a_floor_is_met_by_exactly_its_value(section: RegisterParams) -> None:
    answers = _answers([0, 1], [0, 1], answered=[0, 1])
    strict = override(
        section, {"floors": {"style": {"macro_f1": 1.0}, "category": {"macro_f1": 0.5}}}
    )
    assert all(check.passed for check in check_floors(answers, strict))


@pytest.mark.parametrize(("floor", "passed"), [(0.5, False), (0.0, True)])
def test_a_head_without_any_label_cannot_be_judged(
    section: RegisterParams, floor: float, passed: bool
) -> None:
    answers = _answers([-1, -1], [0, 1], answered=[0, 1])
    style, _ = check_floors(
        answers,
        override(
            section, {"floors": {"style": {"macro_f1": floor}, "category": {"macro_f1": 0.5}}}
        ),
    )
    assert style.passed is passed
    assert "no test image has one" in style.text


@pytest.mark.parametrize(
    ("mine", "theirs", "passed"), [(0.8, 0.7, True), (0.65, 0.7, True), (0.55, 0.7, False)]
)
def test_the_champion_may_be_missed_by_the_margin(
    section: RegisterParams, mine: float, theirs: float, passed: bool
) -> None:
    check = check_champion("3", Comparison({"style": mine}, {"style": theirs}), section)
    assert check.passed is passed
    assert "0.700 of the champion, version 3, on the same test images, less 0.100" in check.text
    assert check.figures == {"mean_macro_f1": mine, "champion_mean_macro_f1": theirs}


def test_the_heads_count_alike_against_the_champion(section: RegisterParams) -> None:
    comparison = Comparison({"style": 0.5, "category": 0.9}, {"style": 0.8, "category": 0.6})
    assert check_champion("3", comparison, override(section, {"margin": 0.0001})).passed


def test_a_champion_with_other_classes_decides_nothing(section: RegisterParams) -> None:
    check = check_champion("3", Comparison({}, {}), section)
    assert check.passed
    assert check.text == "the champion, version 3, knows other classes: not compared"


def test_a_verdict_names_what_failed_or_else_all_that_passed() -> None:
    good, bad = Check(True, "good", {"a": 1.0}), Check(False, "bad", {"b": 0.0})
    assert (Verdict((good, bad)).word, Verdict((good, bad)).reasons) == ("failed", "bad")
    assert (Verdict((good, good)).word, Verdict((good, good)).reasons) == ("passed", "good; good")
    assert Verdict((good, bad)).figures == {"a": 1.0, "b": 0.0}
