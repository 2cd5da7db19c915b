"""All that is found out about a bundle's answers, in one object for metrics, pictures and card."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.format import BundleInfo
from vitrine.core.params import EvaluateParams
from vitrine.core.taxonomy import UNKNOWN, Head
from vitrine.evaluation.abstention import Abstention, abstain
from vitrine.evaluation.answers import Answers, HeadAnswers
from vitrine.evaluation.attacks import Attacked
from vitrine.evaluation.behaviour import Kept
from vitrine.evaluation.intervals import Bootstrap, Intervals, intervals
from vitrine.evaluation.metrics import ClassScore, class_scores, loss_measures, measures
from vitrine.evaluation.reliability import Bin, calibration_error, reliability, uncalibrated
from vitrine.evaluation.slices import Slice, SliceScore, score_slices, worst_slices

DIGITS = 6

Figures = dict[str, "float | str | Figures"]
"""Figures by name, in groups."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of the test images beside their labels, and what was tried with them.

    Args:
        products: (n,) numbers from 0, equal for views of one product.
        slices: Parts of the images.
        behaviour: How answers stay under harmless changes.
        robustness: What accuracy is left under attack.
    """

    products: NDArray[np.int64]
    slices: Sequence[Slice]
    behaviour: list[Kept]
    robustness: list[Attacked]


@dataclass(frozen=True, slots=True)
class HeadReport:
    """What is found out about one head.

    Args:
        answers: Truth and answers.
        measures: The figures by name; 95 % intervals as `…_low` and `…_high`.
        uncalibrated: `log_loss`, `brier` and `calibration_error` before temperature scaling.
        classes: The score of each class that occurs in the truth.
        bins: How true the probabilities are.
        uncalibrated_bins: How true they are before temperature scaling.
        abstention: What is left when unsure answers are withheld.
    """

    answers: HeadAnswers
    measures: dict[str, float]
    uncalibrated: dict[str, float]
    classes: list[ClassScore]
    bins: list[Bin]
    uncalibrated_bins: list[Bin]
    abstention: Abstention

    def metrics(self) -> Figures:
        """Return the head's figures for metrics.json; those of single classes are left out."""
        sure = self.abstention
        of_sure = {"threshold": sure.threshold, "images": sure.images, "coverage": sure.coverage}
        if sure.accuracy is not None:
            of_sure["accuracy"] = sure.accuracy
        return {
            "images": len(self.answers.labels),
            **self.measures,
            "uncalibrated": {**self.uncalibrated},
            "sure": {**of_sure},
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What is found out about a bundle on one split.

    Args:
        images: How many images were answered.
        mean_macro_f1: The macro F1 of the heads, averaged.
        all_heads_accuracy: The share of the images with every label known for which every answer
            is right; None where there is no such image.
        heads: By head that can be judged.
        slices: Every head on every slice that is large enough.
        worst_slices: By head, the least accurate of the slices that are worse than the rest beyond
            chance, or where there is none, of all; a head without slices has none.
        behaviour: How answers stay under harmless changes.
        robustness: What accuracy is left under attack.
    """

    images: int
    mean_macro_f1: float
    all_heads_accuracy: float | None
    heads: dict[Head, HeadReport]
    slices: list[SliceScore]
    worst_slices: dict[Head, SliceScore]
    behaviour: list[Kept]
    robustness: list[Attacked]

    def metrics(self) -> Figures:
        """Return the figures for metrics.json: over all heads, by head, then what was tried."""
        figures: Figures = {"images": self.images, "mean_macro_f1": self.mean_macro_f1}
        if self.all_heads_accuracy is not None:
            figures["all_heads_accuracy"] = self.all_heads_accuracy
        for name, head in self.heads.items():
            figures[name] = head.metrics() | _of_slice(self.worst_slices.get(name))
        if self.behaviour:
            figures["kept"] = {kept.change: _of_change(kept) for kept in self.behaviour}
        if self.robustness:
            figures["attacked"] = {one.attack: _of_attack(one) for one in self.robustness}
        return _rounded(figures)

    def flat(self) -> dict[str, float]:
        """Return the same numbers side by side, with the names of their groups before theirs."""
        return dict(_flat(self.metrics(), ""))


def judge(
    answers: Answers, info: BundleInfo, section: EvaluateParams, circumstances: Circumstances
) -> Report:
    """Compare answers with the truth; at least one head must be `judged`.

    Args:
        answers: Of the bundle.
        info: The bundle: its temperatures and thresholds are judged too.
        section: How to measure.
        circumstances: Of the same images.
    """
    heads: dict[Head, HeadReport] = {}
    slices: list[SliceScore] = []
    for head in answers.judged:
        known = answers.labels[head] != UNKNOWN
        products = circumstances.products
        heads[head] = _judge(answers.known(head), info, section, products[known])
        least = section.min_slice_images
        slices += score_slices(answers, head, circumstances.slices, products, least)
    return Report(
        images=len(answers.names),
        mean_macro_f1=float(np.mean([head.measures["macro_f1"] for head in heads.values()])),
        all_heads_accuracy=_all_heads_accuracy(answers),
        heads=heads,
        slices=slices,
        worst_slices=worst_slices(slices),
        behaviour=circumstances.behaviour,
        robustness=circumstances.robustness,
    )


def _judge(
    head: HeadAnswers, info: BundleInfo, section: EvaluateParams, products: NDArray[np.int64]
) -> HeadReport:
    scores = class_scores(head)
    bins = reliability(head, section.calibration_bins)
    figures = measures(head, scores) | {"calibration_error": calibration_error(bins)}
    if section.bootstrap:
        bootstrap = Bootstrap(products, section.calibration_bins, section.bootstrap, section.seed)
        found = intervals(head, bootstrap)
        for name, (low, high) in found.measures.items():
            figures |= {f"{name}_low": low, f"{name}_high": high}
        scores = [_with_intervals(score, found, place) for place, score in enumerate(scores)]
    before = uncalibrated(head, info.calibration[head.head])
    bins_before = reliability(before, section.calibration_bins)
    return HeadReport(
        answers=head,
        measures=figures,
        uncalibrated=loss_measures(before) | {"calibration_error": calibration_error(bins_before)},
        classes=scores,
        bins=bins,
        uncalibrated_bins=bins_before,
        abstention=abstain(head, info.thresholds[head.head], info.precision),
    )


def _with_intervals(score: ClassScore, found: Intervals, place: int) -> ClassScore:
    precision, recall, f1 = (found.classes[name][place] for name in ("precision", "recall", "f1"))
    return replace(
        score,
        precision_low=precision[0],
        precision_high=precision[1],
        recall_low=recall[0],
        recall_high=recall[1],
        f1_low=f1[0],
        f1_high=f1[1],
    )


def _all_heads_accuracy(answers: Answers) -> float | None:
    heads = answers.judged
    known = np.all([answers.labels[head] != UNKNOWN for head in heads], axis=0)
    if not known.any():
        return None
    right = [answers.probabilities[head].argmax(axis=1) == answers.labels[head] for head in heads]
    return float(np.all(right, axis=0)[known].mean())


def _of_slice(worst: SliceScore | None) -> Figures:
    if worst is None:
        return {}
    names = ("images", "accuracy", "low", "high", "difference")
    figures = {name: getattr(worst, name) for name in names}
    return {"worst_slice": {"name": worst.name, "weak": float(worst.weak), **figures}}


def _of_change(kept: Kept) -> Figures:
    shares = {str(head): share for head, share in kept.shares.items()}
    return {"images": kept.images, **shares}


def _of_attack(attacked: Attacked) -> Figures:
    left = {str(head): accuracy for head, accuracy in attacked.accuracy.items()}
    clean = {f"{head}_clean": accuracy for head, accuracy in attacked.clean.items()}
    return {"epsilon": attacked.epsilon, "images": attacked.images, **left, **clean}


def _rounded(figures: Figures) -> Figures:
    return {
        name: _rounded(value)
        if isinstance(value, dict)
        else (round(value, DIGITS) if isinstance(value, float) else value)
        for name, value in figures.items()
    }


def _flat(figures: Figures, before: str) -> Iterator[tuple[str, float]]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}_")
        elif not isinstance(value, str):
            yield f"{before}{name}", value
