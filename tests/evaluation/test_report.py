"""The figures of all heads together, and the card that is written from them."""

from pathlib import Path

import numpy as np
import pytest

from vitrine.bundle.format import BundleInfo, Lineage
from vitrine.core.params import EvaluateParams, Params, override
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.card import write_card
from vitrine.evaluation.report import judge
from vitrine.inputs.summary import SplitSummary, Summary

STYLES = ("plain", "vintage | old")
CATEGORIES = ("shoe", "lamp", "灯")


@pytest.fixture(scope="session")
def section(params: Params) -> EvaluateParams:
    return override(params.evaluate, {"bootstrap": 20})


@pytest.fixture
def taxonomy() -> Taxonomy:
    styles, categories = (tuple(Label(name=n) for n in names) for names in (STYLES, CATEGORIES))
    return Taxonomy(styles=styles, categories=categories)


@pytest.fixture
def answers(taxonomy: Taxonomy) -> Answers:
    """Four images: all right; only the style right; only the category known; nothing known."""
    style = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.5, 0.5]])
    category = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.4, 0.3, 0.3]])
    return Answers(
        taxonomy,
        [f"images/{i}.jpg" for i in range(4)],
        {"style": np.array([0, 1, -1, -1]), "category": np.array([0, 0, 1, -1])},
        {"style": style, "category": category},
    )


def test_each_head_is_judged_on_the_images_it_knows(
    answers: Answers, section: EvaluateParams
) -> None:
    metrics = judge(answers, section).metrics()
    assert metrics["images"] == 4
    assert metrics["style"]["images"] == 2
    assert metrics["style"]["accuracy"] == 1
    assert metrics["category"]["images"] == 3
    assert metrics["category"]["accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert metrics["all_heads_accuracy"] == 0.5
    mean = (metrics["style"]["macro_f1"] + metrics["category"]["macro_f1"]) / 2
    assert metrics["mean_macro_f1"] == pytest.approx(mean, abs=1e-6)


def test_a_head_without_any_label_is_left_out(answers: Answers, section: EvaluateParams) -> None:
    answers.labels["style"][:] = -1
    metrics = judge(answers, section).metrics()
    assert "style" not in metrics
    assert metrics["mean_macro_f1"] == metrics["category"]["macro_f1"]


def test_without_resamples_there_are_no_intervals(
    answers: Answers, section: EvaluateParams
) -> None:
    metrics = judge(answers, override(section, {"bootstrap": 0})).metrics()
    assert "accuracy_low" not in metrics["style"]


def test_the_flat_figures_carry_the_name_of_their_head(
    answers: Answers, section: EvaluateParams
) -> None:
    report = judge(answers, section)
    flat = report.flat()
    assert flat["style_accuracy"] == 1
    assert flat["images"] == 4
    assert len(flat) == len(report.metrics()) - 2 + sum(
        len(report.metrics()[head]) for head in ("style", "category")
    )


def _card(answers: Answers, section: EvaluateParams, params: Params) -> str:
    lineage = Lineage(
        git_commit="c0ffee", data_digest="da7a", params_digest="9a9a", run_id="42", created="now"
    )
    info = BundleInfo(
        format_version=1,
        image=params.image,
        taxonomy=answers.taxonomy,
        outputs=("category", "embedding", "style"),
        calibration={"style": 1.5, "category": 0.8},
        tolerance=0.001,
        files={},
        lineage=lineage,
    )
    counts = {"style": dict(zip(STYLES, (60, 3), strict=True)), "category": {"shoe": 99}}
    split = SplitSummary(images=120, shards={}, counts=counts)
    splits = {"train": split, "val": split, "test": split}
    summary = Summary(image=params.image, taxonomy=answers.taxonomy, splits=splits)
    return write_card(judge(answers, section), info, summary)


def test_the_card_is_written_from_the_numbers(
    answers: Answers, section: EvaluateParams, params: Params
) -> None:
    card = _card(answers, section, params)
    for words in ("c0ffee", "da7a", "9a9a", "`42`", "on 4 test images"):
        assert words in card
    assert "| train | 120 | 63 | 99 |" in card
    assert "| style | 1.50 | 85.0% | 100.0% |" in card
    assert "Of the images with all labels known, 50.0% get every answer right." in card
    assert "Style, fewer than 50 training images: vintage | old." in card
    assert "Category, never in the test split, so not measured: 灯." in card


def test_a_name_cannot_break_a_table(
    answers: Answers, section: EvaluateParams, params: Params
) -> None:
    card = _card(answers, section, params)
    rows = [line for line in card.splitlines() if line.startswith("| vintage")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [7]


def test_a_report_of_one_head_has_a_card_too(
    answers: Answers, section: EvaluateParams, params: Params
) -> None:
    answers.labels["style"][:] = -1
    card = _card(answers, section, params)
    assert "Style by class" not in card
    assert "all labels known" not in card


def test_the_card_does_not_praise_intervals_it_has_not(
    answers: Answers, section: EvaluateParams, params: Params, tmp_path: Path
) -> None:
    assert "bootstrap" in _card(answers, section, params)
    assert "bootstrap" not in _card(answers, override(section, {"bootstrap": 0}), params)
