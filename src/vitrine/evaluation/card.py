"""The model card (Mitchell et al., 2019), written from the numbers and nothing else."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from vitrine.bundle.format import BundleInfo
from vitrine.core.manifest import SPLITS
from vitrine.core.markdown import bullets, table
from vitrine.core.params import EvaluateParams
from vitrine.evaluation import card_figures
from vitrine.evaluation.card_figures import FEW_IMAGES
from vitrine.evaluation.markdown import listing
from vitrine.evaluation.report import HeadReport, Report
from vitrine.inputs.summary import Summary

FEW_TRAINED = 50
"""Below how many training images a class is called rare."""


def write_card(
    report: Report,
    info: BundleInfo,
    summary: Summary,
    section: EvaluateParams,
    pictures: Collection[str],
) -> str:
    """Return the model card in Markdown.

    Args:
        report: What was found out on the test split.
        info: The bundle that was measured.
        summary: The shards that it was trained and measured on.
        section: How it was measured.
        pictures: The names of the pictures in the folder `plots` beside the card.
    """
    blocks = [
        *_opening(report, info),
        *_intended_use(info),
        *_data(report, summary),
        *card_figures.quality(report),
        *card_figures.calibration(report, info, pictures),
        *card_figures.unsure(report, pictures),
        *card_figures.slices(report, section, pictures),
        *card_figures.behaviour(report, section.behaviour, pictures),
        *card_figures.robustness(report, section.attack, pictures),
        *card_figures.classes(report, pictures),
        *card_figures.attention(pictures),
        *_precision(info),
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


def _intended_use(info: BundleInfo) -> Iterator[str]:
    heads = " and ".join(info.heads)
    yield "## Intended use"
    yield (
        f"**For** labelling the products of a catalogue by {heads}: suggesting labels to those who "
        "enter products, sorting and searching what has none, finding labels that should be looked "
        "at again. It knows:"
    )
    yield bullets(f"as {head}: {listing(info.taxonomy.names(head))}." for head in info.heads)
    yield (
        "**Not for** images of anything else, which also get one of these answers; not for several "
        "products in one image, which get one answer together; not for telling brand, material, "
        "condition, size or authenticity, which it never learnt; not for judging people who appear "
        "in an image."
    )


def _data(report: Report, summary: Summary) -> Iterator[str]:
    yield "## Data"
    rows = []
    for name in SPLITS:
        split = summary.splits[name]
        labelled = (str(sum(split.counts[head].values())) for head in report.heads)
        rows.append((name, str(split.images), *labelled))
    yield table(("split", "images", *(f"with a {head}" for head in report.heads)), rows)


def _limits(report: Report, info: BundleInfo, summary: Summary) -> Iterator[str]:
    yield "## Limits"
    lines = [
        "It always answers one of the classes above, for images of other things too.",
        "It was measured on images of the same origin as the training images; elsewhere the "
        "figures may be lower.",
    ]
    for name, head in report.heads.items():
        trained = summary.splits["train"].counts[name]
        lines += _scarce_classes(head, info.taxonomy.names(name), trained)
    if not report.behaviour:
        lines.append("How it answers changed images was not measured.")
    if not report.robustness:
        lines.append("How it answers images that were made to mislead it was not measured.")
    yield bullets(lines)


def _scarce_classes(
    head: HeadReport, names: Sequence[str], trained: Mapping[str, int]
) -> Iterator[str]:
    kinds = (
        (
            "never in the test split, so not measured",
            set(names) - {score.name for score in head.classes},
        ),
        (
            f"fewer than {FEW_IMAGES} test images, so the figures are uncertain",
            {score.name for score in head.classes if score.images < FEW_IMAGES},
        ),
        (
            f"fewer than {FEW_TRAINED} training images",
            {label for label, images in trained.items() if images < FEW_TRAINED},
        ),
    )
    for text, scarce in kinds:
        if scarce:
            listed = listing([name for name in names if name in scarce])
            yield f"{head.answers.head.capitalize()}, {text}: {listed}."


def _precision(info: BundleInfo) -> Iterator[str]:
    if not info.computing.measured:
        return
    yield "## Precision"
    yield (
        f"The graph computes in {info.computing.precision}: the fastest of these that answered the "
        "val split as well as f32."
    )
    rows = [
        (
            one.precision,
            f"{one.images_per_second:,.0f}",
            *(
                f"{one.accuracy[head]:.3f}, {one.macro_f1[head]:.3f}"
                if head in one.accuracy
                else ""
                for head in info.heads
            ),
        )
        for one in info.computing.measured
    ]
    measures = (f"{head}: accuracy, macro F1" for head in info.heads)
    yield table(("precision", "images/s on one CPU thread", *measures), rows)


def _lineage(info: BundleInfo) -> Iterator[str]:
    yield "## Lineage"
    lineage = info.lineage
    yield table(
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
