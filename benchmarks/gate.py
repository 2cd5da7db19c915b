"""Claim: of 200 pairs of equally good models at most 5 % are called better; 3 points are noticed.

Run: `python benchmarks/gate.py`. Models are simulated, the gate's own functions judge them. Whether
a model answers an image rightly depends on how hard the image is, which is the same for both models
of a pair, and a little on chance: so two models of one accuracy disagree about 8 % of the images,
as two trainings of one network do. The classes are as frequent as the 30 commonest in 8,000 real
catalogue photos, and four styles. A class is answered the worse the rarer it is.
"""

import sys
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from measure import ROOT, where
from numpy.typing import NDArray
from scipy.stats import norm

from vitrine.core.params import Params, RegisterParams
from vitrine.core.taxonomy import Head
from vitrine.evaluation.cells import Cells
from vitrine.evaluation.champion import check_champion
from vitrine.evaluation.comparison import Pair
from vitrine.evaluation.contest import Contest, compare_head
from vitrine.evaluation.gate import Verdict

PAIRS = 200
# fmt: off
FREQUENT: dict[Head, list[int]] = {
    "style": [6175, 743, 579, 407],
    "category": [2816, 1300, 554, 480, 454, 349, 196, 188, 184, 163, 161, 149, 132, 132, 98, 91, 84,
                 79, 60, 53, 50, 50, 25, 23, 21, 20, 19, 17, 13, 12],
}
# fmt: on
ACCURACY = 0.85
ALIKE = 0.9
"""The share of an answer's fate that is the image's difficulty and not the model."""
PRODUCT = 0.6
"""The share of difficulty and of chance that the views of one product have in common."""
LARGE = 200_000
"""Images that a model's true macro F1 is found on."""


@dataclass(frozen=True)
class Setting:
    """What kind of pairs are drawn.

    Args:
        images: Of the test split.
        views: Of each product.
        accuracy: By how much the first model is more accurate than the second.
        rare: By how much it answers the rarer half of the classes more often rightly; what it
            gains there it loses on the frequent ones, so that its accuracy stays.
    """

    images: int
    views: int = 1
    accuracy: float = 0.0
    rare: float = 0.0


def class_accuracy(head: Head, accuracy: float, rare: float) -> NDArray[np.float64]:
    """Return how often each class is answered rightly."""
    counts = np.array(FREQUENT[head], float)
    share = counts / counts.sum()
    fall = np.linspace(0.5, -1.0, len(share)) * 0.15
    shift = np.where(np.arange(len(share)) < len(share) // 2, 0.0, rare)
    shift[: len(share) // 2] = -(shift * share).sum() / share[: len(share) // 2].sum()
    return np.clip(accuracy + fall - (fall * share).sum() + shift, 0.02, 0.99)


def draw(head: Head, setting: Setting, generator: np.random.Generator) -> Pair:
    """Draw the labels and what both models answer."""
    products = setting.images // setting.views
    frequency = np.array(FREQUENT[head], float)
    product_labels = generator.choice(len(frequency), products, p=frequency / frequency.sum())
    labels = np.repeat(product_labels, setting.views)

    def chance() -> NDArray[np.float64]:
        common = np.repeat(generator.standard_normal(products), setting.views)
        own = generator.standard_normal(len(labels))
        return np.sqrt(PRODUCT) * common + np.sqrt(1 - PRODUCT) * own

    difficulty = chance()
    confused = generator.choice(len(frequency), len(labels), p=frequency / frequency.sum())
    confused = np.where(confused == labels, (labels + 1) % len(frequency), confused)
    answers = []
    for accuracy, rare in ((ACCURACY + setting.accuracy, setting.rare), (ACCURACY, 0.0)):
        fate = norm.cdf(np.sqrt(ALIKE) * difficulty + np.sqrt(1 - ALIKE) * chance())
        right = fate < class_accuracy(head, accuracy, rare)[labels]
        answers.append(np.where(right, labels, confused))
    names = tuple(f"class {number}" for number in range(len(frequency)))
    return Pair(names, np.arange(len(labels)), labels, answers[0], answers[1])


def judge(
    setting: Setting, heads: tuple[Head, ...], seed: int, section: RegisterParams
) -> tuple[Verdict, Contest]:
    """Draw a pair of models that differ on `heads` and are equally good on others, and judge it."""
    generator = np.random.default_rng(seed)
    products = np.repeat(np.arange(setting.images // setting.views), setting.views)
    equal = replace(setting, accuracy=0.0, rare=0.0)
    contests = [
        compare_head(head, draw(head, setting if head in heads else equal, generator), products)
        for head in FREQUENT
    ]
    contest = Contest(contests, (), [], (1.0, 1.0))
    higher = tuple(head for head, first in contest.decided().items() if first)
    return Verdict(tuple(check_champion("1", contest, section)), "1", higher), contest


def report(title: str, setting: Setting, heads: tuple[Head, ...], section: RegisterParams) -> None:
    """Print one row: how many of the pairs are accepted, refused and called better."""
    seen: Counter[str] = Counter()
    disagreement, f1 = [], []
    for seed in range(PAIRS):
        verdict, contest = judge(setting, heads, seed, section)
        seen["accepted"] += verdict.passed
        seen["better"] += verdict.better
        seen.update(check.name.split()[1] for check in verdict.checks if not check.passed)
        for one in contest.heads:
            disagreement.append((one.counts.wins + one.counts.losses) / one.counts.images)
            f1 += [one.macro_f1.difference] if one.head == heads[-1] else []
    shares = " | ".join(
        f"{share:.1%}"
        for share in (
            seen["accepted"] / PAIRS,
            1 - seen["accepted"] / PAIRS,
            seen["better"] / PAIRS,
            float(np.mean(disagreement)),
        )
    )
    print(f"| {title} | {setting.images:,} | {setting.views} | {shares} | {np.mean(f1):+.3f} |")
    sys.stdout.flush()


def rare_shift(points: float) -> float:
    """Return by how much the rare classes must be answered worse to lose so much macro F1."""
    low, high = -0.5, 0.0
    for _ in range(12):
        middle = (low + high) / 2
        pair = draw("category", Setting(LARGE, rare=middle), np.random.default_rng(0))
        first, second = (
            Cells.of(pair.labels, answers).macro_f1(np.ones_like(pair.labels))
            for answers in (pair.first, pair.second)
        )
        low, high = (middle, high) if first - second < points else (low, middle)
    return middle


def main() -> None:
    """Print a table, one row a kind of pair."""
    section = Params.load(ROOT / "params.yaml").register_
    both: tuple[Head, ...] = ("style", "category")
    one: tuple[Head, ...] = ("category",)
    print(where())
    print(f"{PAIRS} pairs a row, seeds 0 to {PAIRS - 1}; margin {section.margin}\n")
    print("| first model | images | views | accepted | refused | better | disagree | macro F1 |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for images in (125, 300, 1000, 5000):
        report("equally good", Setting(images), both, section)
    report("equally good", Setting(1000, views=3), both, section)
    for images in (125, 300, 1000, 5000):
        report("3 points less accurate, both heads", Setting(images, accuracy=-0.03), both, section)
    report("3 points less accurate, category", Setting(1000, accuracy=-0.03), one, section)
    report("3 points less accurate, category", Setting(1000, 3, accuracy=-0.03), one, section)
    rare = rare_shift(-0.03)
    for images in (1000, 5000):
        title = "3 points less macro F1 at equal accuracy, category"
        report(title, Setting(images, rare=rare), one, section)
    report("3 points more accurate, both heads", Setting(1000, accuracy=0.03), both, section)


if __name__ == "__main__":
    main()
