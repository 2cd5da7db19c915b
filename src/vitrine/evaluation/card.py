"""The model card (Mitchell et al., 2019), written from the numbers and nothing else."""

from collections.abc import Iterable, Iterator, Sequence

from vitrine.bundle.format import BundleInfo
from vitrine.core.taxonomy import Head
from vitrine.evaluation.report import HeadReport, Report
from vitrine.inputs.summary import Summary

WEAKEST = 5
"""How many classes are named as the weakest."""
FEW_IMAGES = 20
"""Below how many test images the figures of a class are called uncertain."""
FEW_TRAINED = 50
"""Below how many training images a class is called rare."""

ROWS = (
    ("accuracy", "Accuracy"),
    ("top3_accuracy", "Right class among the first three"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("macro_f1", "Macro F1"),
    ("macro_precision", "Macro precision"),
    ("macro_recall", "Macro recall"),
    ("weighted_f1", "Weighted F1"),
)


def write_card(report: Report, info: BundleInfo, summary: Summary) -> str:
    """Return the model card in Markdown.

    Args:
        report: What was found out on the test split.
        info: The bundle that was measured.
        summary: The shards that it was trained and measured on.
    """
    blocks = [
        *_opening(report, info),
        *_data(report, summary),
        *_quality(report),
        *_calibration(report, info),
        *(block for head in report.heads for block in _classes(head, report.heads[head])),
        *_limits(report, info, summary),
        *_lineage(info),
    ]
    return "\n\n".join(blocks) + "\n"


def _opening(report: Report, info: BundleInfo) -> Iterator[str]:
    yield "# Model card"
    tells = " and ".join(
        f"the {head} (one of {len(info.taxonomy.names(head))})" for head in info.heads
    )
    yield (
        f"Bundle `{info.digest[:12]}` tells {tells} of a product image. "
        f"It sees {info.image.width}×{info.image.height} pixels ({info.image.fit}). "
        f"All figures below are of the served graph on {report.images} test images that neither "
        "training nor tuning nor calibration saw."
    )


def _data(report: Report, summary: Summary) -> Iterator[str]:
    yield "## Data"
    rows = []
    for name, split in summary.splits.items():
        labelled = (str(sum(split.counts[head].values())) for head in report.heads)
        rows.append((name, str(split.images), *labelled))
    yield _table(("split", "images", *(f"with a {head}" for head in report.heads)), rows)


def _quality(report: Report) -> Iterator[str]:
    yield "## Quality"
    rows = [
        (text, *(_with_interval(head, measure) for head in report.heads.values()))
        for measure, text in ROWS
    ]
    rows.append(("Test images", *(str(len(h.answers.labels)) for h in report.heads.values())))
    yield _table(("", *report.heads), rows)
    if report.all_heads_accuracy is not None and len(report.heads) > 1:
        yield (
            f"Of the images with all labels known, {report.all_heads_accuracy:.1%} get every "
            "answer right."
        )
    for name, head in report.heads.items():
        most = max(head.classes, key=lambda score: score.images)
        yield (
            f"For comparison: who always answers the {name} *{most.name}* has an accuracy of "
            f"{most.images / len(head.answers.labels):.1%}."
        )
    if any("accuracy_low" in head.measures for head in report.heads.values()):
        yield (
            "In brackets: 95 % intervals by the bootstrap over images. Views of one product count "
            "as images of their own, so the intervals are rather too narrow. Macro figures are "
            "means over the classes that occur in the test split."
        )


def _calibration(report: Report, info: BundleInfo) -> Iterator[str]:
    yield "## Calibration"
    rows = []
    for name, head in report.heads.items():
        confidence = float(head.answers.confidence.mean())
        rows.append(
            (
                name,
                f"{info.calibration[name]:.2f}",
                f"{confidence:.1%}",
                f"{head.measures['accuracy']:.1%}",
                f"{head.measures['calibration_error']:.1%}",
                f"{head.measures['log_loss']:.3f}",
                f"{head.measures['brier']:.3f}",
            )
        )
    columns = ("temperature", "mean confidence", "accuracy", "calibration error")
    yield _table(("head", *columns, "log-loss", "Brier score"), rows)
    yield "![Accuracy over confidence](plots/reliability.png)"


def _classes(name: Head, head: HeadReport) -> Iterator[str]:
    yield f"## {name.capitalize()} by class"
    rows = [
        (
            score.name,
            str(score.images),
            f"{score.precision:.2f}",
            f"{score.recall:.2f}",
            f"{score.f1:.2f}",
            f"{score.confused_with} ({score.confused_images})" if score.confused_with else "",
        )
        for score in sorted(head.classes, key=lambda score: -score.images)
    ]
    yield _table(("class", "images", "precision", "recall", "F1", "most often taken for"), rows)
    certain = [score for score in head.classes if score.images >= FEW_IMAGES]
    weakest = sorted(certain, key=lambda score: score.f1)[: min(WEAKEST, len(certain) // 2)]
    if weakest:
        named = ", ".join(f"{score.name} (F1 {score.f1:.2f})" for score in weakest)
        yield f"Weakest of the classes with at least {FEW_IMAGES} test images: {named}."
    yield f"![Which {name} is taken for which](plots/confusion_{name}.png)"


def _limits(report: Report, info: BundleInfo, summary: Summary) -> Iterator[str]:
    yield "## Limits"
    lines = [
        "It always answers one of the classes above, for images of other things too.",
        "It was measured on images of the same origin as the training images; elsewhere the "
        "figures may be lower.",
    ]
    for name, head in report.heads.items():
        seen = {score.name for score in head.classes}
        trained = summary.splits["train"].counts[name]
        kinds = (
            ("never in the test split, so not measured", set(info.taxonomy.names(name)) - seen),
            (
                f"fewer than {FEW_IMAGES} test images, so the figures are uncertain",
                {score.name for score in head.classes if score.images < FEW_IMAGES},
            ),
            (
                f"fewer than {FEW_TRAINED} training images",
                {label for label, images in trained.items() if images < FEW_TRAINED},
            ),
        )
        for text, classes in kinds:
            if classes:
                listed = ", ".join(n for n in info.taxonomy.names(name) if n in classes)
                lines.append(f"{name.capitalize()}, {text}: {listed}.")
    yield "\n".join(f"- {line}" for line in lines)


def _lineage(info: BundleInfo) -> Iterator[str]:
    yield "## Lineage"
    lineage = info.lineage
    yield _table(
        ("what", "which"),
        [
            ("bundle", f"`{info.digest}`"),
            ("data (DVC)", f"`{lineage.data_digest}`"),
            ("parameters", f"`{lineage.params_digest}`"),
            ("git commit", f"`{lineage.git_commit}`"),
            ("MLflow run", f"`{lineage.run_id}`"),
            ("exported", lineage.created),
        ],
    )


def _with_interval(head: HeadReport, measure: str) -> str:
    value = f"{head.measures[measure]:.3f}"
    if f"{measure}_low" not in head.measures:
        return value
    low, high = head.measures[f"{measure}_low"], head.measures[f"{measure}_high"]
    return f"{value} ({low:.3f} to {high:.3f})"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )
