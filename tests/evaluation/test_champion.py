"""What the gate asks of a bundle against the champion."""

import numpy as np
import pytest

from vitrine.core.params import Params, RegisterParams, override
from vitrine.core.taxonomy import Head
from vitrine.evaluation.champion import (
    check_accuracy,
    check_champion,
    check_latency_ratio,
    check_macro_f1,
    check_slices,
    note_test_split,
)
from vitrine.evaluation.comparison import Pair
from vitrine.evaluation.contest import Contest, HeadContest, SliceChange, compare_head
from vitrine.evaluation.gate import Verdict
from vitrine.evaluation.paired import Change, Discordance


@pytest.fixture
def section(params: Params) -> RegisterParams:
    """A margin of 0.025."""
    return override(params.register_, {"margin": 0.025, "max_slice_drop": 0.1})


def _counts(images: int, wins: int, losses: int) -> Discordance:
    return Discordance(images, wins, losses, wins, losses, 1.0)


def _head(counts: Discordance, macro_f1: Change = Change(0.8, 0.8, -0.1, 0.1)) -> HeadContest:  # noqa: B008
    return HeadContest("style", 4, (0.9 + counts.difference, 0.9), counts, macro_f1)


@pytest.mark.parametrize(
    ("wins", "losses", "passed"), [(40, 40, True), (30, 37, True), (30, 45, False), (20, 60, False)]
)
def test_it_must_be_shown_that_a_head_is_not_worse(
    section: RegisterParams, wins: int, losses: int, passed: bool
) -> None:
    check = check_accuracy("3", _head(_counts(1000, wins, losses)), section)
    assert check.name == "style accuracy vs champion"
    assert check.passed is passed
    assert (check.figures["low"] > -0.025) is passed
    assert "of the champion, version 3, by 0.025 or more" in check.text
    assert "on the same 1,000 test images" in check.text


def test_a_small_test_split_is_named_as_the_reason(section: RegisterParams) -> None:
    counts = _counts(125, 5, 5)
    check = check_accuracy("3", _head(counts), section)
    assert not check.passed
    assert (
        f"that may be chance, for which about {counts.images_needed(0.025, 0.95)} test"
        in check.text
    )
    for way in ("add some", "raise register.margin", "`vitrine promote N --force --reason"):
        assert way in check.text


def test_a_clear_loss_is_no_question_of_size(section: RegisterParams) -> None:
    check = check_accuracy("3", _head(_counts(1000, 10, 80)), section)
    assert check.figures["high"] < 0
    assert "chance" not in check.text


@pytest.mark.parametrize(
    ("change", "passed"),
    [
        (Change(0.80, 0.80, -0.02, 0.02), True),
        (Change(0.70, 0.80, -0.22, 0.02), True),
        (Change(0.79, 0.80, -0.015, -0.005), True),
        (Change(0.75, 0.80, -0.09, -0.01), False),
    ],
)
def test_macro_f1_may_not_fall_beyond_margin_and_chance(
    section: RegisterParams, change: Change, passed: bool
) -> None:
    check = check_macro_f1("3", _head(_counts(100, 0, 0), change), section)
    assert check.name == "style macro_f1 vs champion"
    assert check.passed is passed
    assert check.figures["difference"] == pytest.approx(change.first - change.second)


def _slice(name: str, images: int, wins: int, losses: int, chance: float) -> SliceChange:
    counts = _counts(images, wins, losses)
    return SliceChange(name, "style", (0.9 + counts.difference, 0.9), counts, chance)


def test_a_collapsed_slice_is_named(section: RegisterParams) -> None:
    changes = [
        _slice("brightness: dark", 50, 1, 13, 0.002),
        _slice("size: large", 200, 1, 15, 0.001),
        _slice("title: missing", 40, 1, 9, 0.2),
    ]
    check = check_slices("3", changes, section)
    assert not check.passed
    assert check.text.endswith(
        "1 of 3 are: style of brightness: dark (0.660 against 0.900, 50 images)"
    )
    assert check.figures == {"slices": 3, "collapsed": 1, "worst_difference": -0.24}
    assert check_slices("3", changes[1:], section).passed


def test_the_worst_of_many_collapsed_slices_are_named(section: RegisterParams) -> None:
    changes = [_slice(f"size: {lost}", 40, 0, lost, 0.001) for lost in range(6, 21)]
    text = check_slices("3", changes, section).text
    assert "15 of 15 are: style of size: 20 (0.400 against 0.900, 40 images); " in text
    assert "size: 11 (" in text
    assert "size: 10 (" not in text
    assert text.endswith("; and 5 more")


def test_without_a_large_slice_none_is_compared(section: RegisterParams) -> None:
    check = check_slices("3", [], section)
    assert check.passed
    assert "no slice has 30 test images or more" in check.text


@pytest.mark.parametrize(("mine", "passed"), [(4.0, True), (4.1, False)])
def test_it_may_not_be_much_slower(section: RegisterParams, mine: float, passed: bool) -> None:
    check = check_latency_ratio("3", (mine, 2.0), override(section, {"max_latency_ratio": 2}))
    assert check.passed is passed
    assert f"takes {mine / 2:.2f} times as long" in check.text


@pytest.mark.parametrize(
    ("judged_on", "words"),
    [
        ("abc", "was registered with the same test split"),
        ("def", "the test split has changed since the champion, version 3, was judged: both"),
        ("", "the test split may have changed since"),
    ],
)
def test_a_changed_test_split_is_said(judged_on: str, words: str) -> None:
    check = note_test_split("3", judged_on, "abc")
    assert check.passed
    assert words in check.text


def test_heads_with_other_classes_decide_nothing(section: RegisterParams) -> None:
    checks = check_champion("3", Contest([], ("style",), [], (1.0, 1.0)), section)
    assert all(check.passed for check in checks)
    assert "knows other classes of style, or none: not compared" in checks[0].text


HEADS: tuple[Head, ...] = ("style", "category")


def _judge(seed: int, images: int, views: int, worse: float, section: RegisterParams) -> Verdict:
    """Judge a drawn pair: accuracy 0.85 less `worse` against 0.85, and about 8 % disagreement."""
    generator = np.random.default_rng(seed)
    products = np.repeat(np.arange(images // views), views)
    weights = 1 / np.arange(1, 31)
    contests = []
    for head in HEADS:
        labels = np.repeat(generator.choice(30, images // views, p=weights / weights.sum()), views)
        # Hard for both; then by chance hard for one of them, all views of a product alike.
        fate = np.repeat(generator.random(images // views), views)
        wrong = fate < 0.11 + 0.04 + worse, (fate < 0.11) | (fate > 0.96)
        first, second = (np.where(at, (labels + 1) % 30, labels) for at in wrong)
        names = tuple(map(str, range(30)))
        pair = Pair(names, np.arange(len(labels)), labels, first, second)
        contests.append(compare_head(head, pair, products))
    contest = Contest(contests, (), [], (1.0, 1.0))
    higher = tuple(head for head, first in contest.decided().items() if first)
    return Verdict(tuple(check_champion("1", contest, section)), "1", higher)


@pytest.mark.slow
@pytest.mark.parametrize("views", [1, 3])
def test_equally_good_models_are_seldom_called_better(section: RegisterParams, views: int) -> None:
    verdicts = [_judge(seed, 999, views, 0.0, section) for seed in range(100)]
    assert sum(verdict.better for verdict in verdicts) <= 5
    if views == 1:
        assert sum(verdict.passed for verdict in verdicts) >= 60


@pytest.mark.slow
@pytest.mark.parametrize("views", [1, 3])
def test_a_model_3_points_worse_is_refused(section: RegisterParams, views: int) -> None:
    verdicts = [_judge(seed, 999, views, 0.03, section) for seed in range(60)]
    assert sum(not verdict.passed for verdict in verdicts) >= 57
