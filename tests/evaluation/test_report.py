"""The figures of all heads together."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from vitrine.bundle.calibration import softmax
from vitrine.bundle.format import BundleInfo
from vitrine.core.params import EvaluateParams, Params, override
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.attacks import Attacked
from vitrine.evaluation.behaviour import Kept
from vitrine.evaluation.report import Circumstances, Report, judge
from vitrine.evaluation.slices import Slice

KEPT = Kept("flip", 3, {"style": 1.0, "category": 2 / 3})
ATTACKED = Attacked("PGD", 2.0, 3, {"style": 0.5, "category": 0.0}, {"style": 1.0, "category": 1.0})


@pytest.fixture(scope="session")
def section(params: Params) -> EvaluateParams:
    return override(params.evaluate, {"bootstrap": 20, "min_slice_images": 1})


@pytest.fixture
def taxonomy() -> Taxonomy:
    styles, categories = (
        tuple(Label(name=n) for n in names)
        for names in (("plain", "vintage"), ("shoe", "lamp", "灯"))
    )
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


Judged = Callable[..., Report]


@pytest.fixture
def judged(
    answers: Answers,
    section: EvaluateParams,
    described: Callable[[Taxonomy], BundleInfo],
) -> Judged:
    """Judge answers, those above unless others are given; changes are of the section."""

    def run(of: Answers = answers, slices: Sequence[Slice] = (), **changes: int) -> Report:
        circumstances = Circumstances(np.arange(len(of.names)), slices, [KEPT], [ATTACKED])
        return judge(of, described(of.taxonomy), override(section, changes), circumstances)

    return run


def test_each_head_is_judged_on_the_images_it_knows(judged: Judged) -> None:
    metrics = judged().metrics()
    assert metrics["images"] == 4
    assert metrics["style"]["images"] == 2
    assert metrics["style"]["accuracy"] == 1
    assert metrics["category"]["images"] == 3
    assert metrics["category"]["accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert metrics["all_heads_accuracy"] == 0.5
    mean = (metrics["style"]["macro_f1"] + metrics["category"]["macro_f1"]) / 2
    assert metrics["mean_macro_f1"] == pytest.approx(mean, abs=1e-6)


def test_a_head_without_any_label_is_left_out(answers: Answers, judged: Judged) -> None:
    answers.labels["style"][:] = -1
    metrics = judged().metrics()
    assert "style" not in metrics
    assert metrics["mean_macro_f1"] == metrics["category"]["macro_f1"]


def test_without_resamples_there_are_no_intervals(judged: Judged) -> None:
    report = judged(bootstrap=0)
    assert "accuracy_low" not in report.metrics()["style"]
    assert report.heads["style"].classes[0].f1_low is None


def test_every_figure_of_a_head_and_of_a_class_has_its_interval(judged: Judged) -> None:
    head = judged().heads["category"]
    plain = [name for name in head.measures if not name.endswith(("_low", "_high"))]
    assert len(plain) == 12
    for name in plain:
        assert head.measures[f"{name}_low"] <= head.measures[f"{name}_high"]
    shoe, lamp = head.classes
    assert (shoe.recall_low, shoe.recall, shoe.recall_high) == (0, 0.5, 1)
    assert (lamp.recall_low, lamp.recall_high) == (1, 1)


def test_the_probabilities_before_temperature_scaling_are_judged_too(
    taxonomy: Taxonomy, judged: Judged
) -> None:
    generator = np.random.default_rng(1)
    logits = {head: generator.normal(0, 3, (50, n)) for head, n in (("style", 2), ("category", 3))}
    truth = {head: generator.integers(0, 2, 50) for head in logits}
    scaled = {"style": softmax(logits["style"], 1.5), "category": softmax(logits["category"], 0.8)}
    report = judged(Answers(taxonomy, [f"images/{i}.jpg" for i in range(50)], truth, scaled))
    for head, of_head in logits.items():
        raw = softmax(of_head)
        of_truth = raw[np.arange(50), truth[head]]
        found = report.heads[head]
        assert found.uncalibrated["log_loss"] == pytest.approx(-np.log(of_truth).mean())
        squares = ((raw - np.eye(raw.shape[1])[truth[head]]) ** 2).sum(axis=1)
        assert found.uncalibrated["brier"] == pytest.approx(squares.mean())
        confidence = sum(part.images * part.confidence for part in found.uncalibrated_bins) / 50
        assert confidence == pytest.approx(raw.max(axis=1).mean())
    metrics = report.metrics()["style"]
    assert metrics["uncalibrated"]["log_loss"] != metrics["log_loss"]


def test_what_is_sure_follows_from_the_thresholds_of_the_bundle(judged: Judged) -> None:
    metrics = judged().metrics()
    assert metrics["style"]["sure"] == {
        "threshold": 0.75,
        "images": 2,
        "coverage": 1,
        "accuracy": 1,
    }
    assert metrics["category"]["sure"]["coverage"] == 1
    assert judged().heads["category"].abstention.precision == 0.95


def test_a_weak_slice_is_named_with_its_figures(taxonomy: Taxonomy, judged: Judged) -> None:
    right = np.arange(60) >= 20
    probabilities = np.where(right[:, None], [0.9, 0.1], [0.2, 0.8])
    labels = {"style": np.zeros(60, int), "category": np.full(60, -1)}
    nothing = np.full((60, 3), 1 / 3)
    answers = Answers(
        taxonomy,
        [f"images/{i}.jpg" for i in range(60)],
        labels,
        {"style": probabilities, "category": nothing},
    )
    slices = [
        Slice("brightness", "dark", np.arange(60) < 25),
        Slice("format", "PNG", np.arange(60) % 2 == 0),
    ]
    report = judged(answers, slices)
    assert report.metrics()["style"]["worst_slice"] == {
        "name": "brightness: dark",
        "weak": 1,
        "images": 25,
        "accuracy": 0.2,
        "low": pytest.approx(0.0886, abs=1e-4),
        "high": pytest.approx(0.3913, abs=1e-4),
        "difference": -0.8,
    }
    assert [score.name for score in report.slices] == ["brightness: dark", "format: PNG"]


def test_what_was_tried_is_in_the_figures(judged: Judged) -> None:
    metrics = judged().metrics()
    assert metrics["kept"] == {"flip": {"images": 3, "style": 1, "category": 0.666667}}
    assert metrics["attacked"]["PGD"] == {
        "epsilon": 2,
        "images": 3,
        "style": 0.5,
        "category": 0,
        "style_clean": 1,
        "category_clean": 1,
    }


def test_the_flat_figures_are_the_numbers_with_the_names_of_their_groups(judged: Judged) -> None:
    flat = judged().flat()
    assert flat["style_accuracy"] == 1
    assert flat["images"] == 4
    assert flat["style_sure_coverage"] == 1
    assert flat["category_uncalibrated_brier"] > 0
    assert flat["kept_flip_style"] == 1
    assert flat["attacked_PGD_category"] == 0
    assert all(isinstance(value, int | float) for value in flat.values())


def test_the_figures_can_be_written_as_json(judged: Judged) -> None:
    metrics = judged().metrics()
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
