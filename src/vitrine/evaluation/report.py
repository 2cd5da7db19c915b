"""All that is found out about a bundle's answers, in one object for metrics, pictures and card."""

from dataclasses import dataclass

import numpy as np

from vitrine.core.params import EvaluateParams
from vitrine.core.taxonomy import UNKNOWN, Head
from vitrine.evaluation.answers import Answers, HeadAnswers
from vitrine.evaluation.intervals import intervals
from vitrine.evaluation.metrics import ClassScore, class_scores, measures
from vitrine.evaluation.reliability import Bin, calibration_error, reliability

DIGITS = 6


@dataclass(frozen=True, slots=True)
class HeadReport:
    """What is found out about one head.

    Args:
        answers: Truth and answers.
        measures: The figures by name; 95 % intervals as `…_low` and `…_high`.
        classes: The score of each class that occurs in the truth.
        bins: How true the probabilities are.
    """

    answers: HeadAnswers
    measures: dict[str, float]
    classes: list[ClassScore]
    bins: list[Bin]


@dataclass(frozen=True, slots=True)
class Report:
    """What is found out about a bundle on one split.

    Args:
        images: How many images were answered.
        mean_macro_f1: The macro F1 of the heads, averaged.
        all_heads_accuracy: The share of the images with every label known for which every answer
            is right; None where there is no such image.
        heads: By head that can be judged.
    """

    images: int
    mean_macro_f1: float
    all_heads_accuracy: float | None
    heads: dict[Head, HeadReport]

    def metrics(self) -> dict[str, float | dict[str, float]]:
        """Return the figures for metrics.json: over all heads, then by head."""
        figures: dict[str, float | dict[str, float]] = {
            "images": self.images,
            "mean_macro_f1": round(self.mean_macro_f1, DIGITS),
        }
        if self.all_heads_accuracy is not None:
            figures["all_heads_accuracy"] = round(self.all_heads_accuracy, DIGITS)
        for name, head in self.heads.items():
            rounded = {key: round(value, DIGITS) for key, value in head.measures.items()}
            figures[name] = {"images": len(head.answers.labels), **rounded}
        return figures

    def flat(self) -> dict[str, float]:
        """Return the same figures side by side, a head's as `<head>_<name>`."""
        flat: dict[str, float] = {}
        for name, value in self.metrics().items():
            if isinstance(value, dict):
                flat |= {f"{name}_{key}": figure for key, figure in value.items()}
            else:
                flat[name] = value
        return flat


def judge(answers: Answers, section: EvaluateParams) -> Report:
    """Compare answers with the truth; at least one head must be `judged`."""
    heads = {head: _judge(answers.known(head), section) for head in answers.judged}
    return Report(
        images=len(answers.names),
        mean_macro_f1=float(np.mean([head.measures["macro_f1"] for head in heads.values()])),
        all_heads_accuracy=_all_heads_accuracy(answers),
        heads=heads,
    )


def _judge(head: HeadAnswers, section: EvaluateParams) -> HeadReport:
    scores = class_scores(head)
    bins = reliability(head, section.calibration_bins)
    figures = measures(head, scores) | {"calibration_error": calibration_error(bins)}
    if section.bootstrap:
        for name, (low, high) in intervals(head, section.bootstrap, section.seed).items():
            figures |= {f"{name}_low": low, f"{name}_high": high}
    return HeadReport(head, figures, scores, bins)


def _all_heads_accuracy(answers: Answers) -> float | None:
    heads = answers.judged
    known = np.all([answers.labels[head] != UNKNOWN for head in heads], axis=0)
    if not known.any():
        return None
    right = [answers.probabilities[head].argmax(axis=1) == answers.labels[head] for head in heads]
    return float(np.all(right, axis=0)[known].mean())
