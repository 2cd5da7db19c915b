"""The sections of a model card that report figures; each yields blocks of Markdown."""

from collections.abc import Collection, Iterator

from vitrine.bundle.format import BundleInfo
from vitrine.core.markdown import plain, table
from vitrine.core.params import AttackParams, BehaviourParams, EvaluateParams
from vitrine.evaluation.markdown import picture
from vitrine.evaluation.metrics import PER_CLASS, ClassScore
from vitrine.evaluation.report import HeadReport, Report
from vitrine.evaluation.slices import SliceScore
from vitrine.evaluation.wording import in_brackets, with_interval

WEAKEST = 5
"""How many classes are named as the weakest."""
FEW_IMAGES = 20
"""Below how many test images the figures of a class are called uncertain."""
WEAK_SLICES = 12
"""How many weak slices are listed."""

MEASURES = (
    ("accuracy", "Accuracy"),
    ("top3_accuracy", "Right class among the first three"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("macro_precision", "Macro precision"),
    ("macro_recall", "Macro recall"),
    ("macro_f1", "Macro F1"),
    ("weighted_precision", "Weighted precision"),
    ("weighted_recall", "Weighted recall"),
    ("weighted_f1", "Weighted F1"),
)
PROBABILITIES = (
    ("calibration_error", "Calibration error"),
    ("log_loss", "Log-loss"),
    ("brier", "Brier score"),
)


def quality(report: Report) -> Iterator[str]:
    """Yield what share of the answers is right, by every measure, with intervals."""
    yield "## Quality"
    heads = report.heads
    rows = [
        (text, *(with_interval(head.measures, measure) for head in heads.values()))
        for measure, text in MEASURES
    ]
    rows.append(("Test images", *(str(len(head.answers.labels)) for head in heads.values())))
    yield table(("", *heads), rows)
    if report.all_heads_accuracy is not None and len(heads) > 1:
        yield (
            f"Of the images with all labels known, {report.all_heads_accuracy:.1%} get every "
            "answer right."
        )
    for name, head in heads.items():
        most = max(head.classes, key=lambda score: score.images)
        yield (
            f"For comparison: who always answers the {name} *{plain(most.name)}* has an accuracy "
            f"of {most.images / len(head.answers.labels):.1%}."
        )
    if any("accuracy_low" in head.measures for head in heads.values()):
        yield (
            "In brackets: 95 % intervals by the bootstrap over products, whose views are drawn "
            "together. Macro figures are means over the classes that occur in the test split."
        )


def calibration(report: Report, info: BundleInfo, pictures: Collection[str]) -> Iterator[str]:
    """Yield how true the probabilities are, before and after temperature scaling."""
    yield "## Calibration"
    columns = [column for head in report.heads for column in (f"{head}, before", f"{head}, after")]
    rows = [
        (
            text,
            *(
                cell
                for head in report.heads.values()
                for cell in (
                    f"{head.uncalibrated[measure]:.3f}",
                    with_interval(head.measures, measure),
                )
            ),
        )
        for measure, text in PROBABILITIES
    ]
    yield table(("", *columns), rows)
    temperatures = " and ".join(f"{info.calibration[name]:.2f} ({name})" for name in report.heads)
    yield (
        f"Before and after the logits are divided by a temperature fitted on val: {temperatures}. "
        "Lower is better; the calibration error is by how much confidence and accuracy differ."
    )
    yield from picture("reliability.png", "Accuracy over the confidence of the answer", pictures)


def unsure(report: Report, pictures: Collection[str]) -> Iterator[str]:
    """Yield what is gained and lost when answers of low confidence are withheld."""
    yield "## Unsure answers"
    rows = []
    for name, head in report.heads.items():
        sure = head.abstention
        never = sure.accuracy is None
        rows.append(
            (
                name,
                "always" if sure.threshold > 1 else f"below {sure.threshold:.3f}",
                f"{sure.precision:.0%}",
                f"{sure.coverage:.1%} ({sure.images})",
                "" if never else f"{sure.accuracy:.1%}",
                f"{head.measures['accuracy']:.1%}",
            )
        )
    columns = ("unsure", "wanted right", "sure answers", "right of these", "right of all answers")
    yield table(("head", *columns), rows)
    yield (
        "The threshold is the lowest confidence above which enough of the answers on val are "
        "right. What is below it should go to a person."
    )
    yield from picture("coverage.png", "Accuracy of the surest answers over their share", pictures)


def slices(report: Report, section: EvaluateParams, pictures: Collection[str]) -> Iterator[str]:
    """Yield on which parts of the test images the answers are worse."""
    yield "## Slices"
    if not report.slices:
        yield f"No slice has {section.min_slice_images} test images, so none was measured."
        return
    worst = report.worst_slices
    yield from (_worst(worst[name]) for name in report.heads if name in worst)
    weak = sorted((s for s in report.slices if s.weak), key=lambda score: score.difference)
    if weak:
        rows = (
            (
                plain(score.name),
                score.head,
                str(score.images),
                f"{score.accuracy:.3f} {in_brackets(score.low, score.high)}",
                f"{100 * score.difference:+.1f} points",
            )
            for score in weak[:WEAK_SLICES]
        )
        yield table(("weak slice", "head", "images", "accuracy", "against elsewhere"), rows)
    yield (
        f"Measured were all slices of at least {section.min_slice_images} images; `slices.csv` "
        "lists them. Weak is what is less accurate than the other images beyond chance: of those "
        "called so, at most one in twenty is expected to be called so wrongly."
    )
    for name in report.heads:
        alt = f"Accuracy of the {name} by slice"
        yield from picture(f"slices_{name}.png", alt, pictures)


def _worst(worst: SliceScore) -> str:
    right = f"**{plain(worst.name)}**: {worst.accuracy:.1%} of {worst.images} images right"
    if worst.weak:
        lag = f"{100 * abs(worst.difference):.1f} points less than elsewhere"
        return f"The worst slice for the {worst.head} is {right}, {lag}."
    return (
        f"No slice is worse for the {worst.head} than the other images beyond chance. The lowest "
        f"accuracy, which may be chance, is that of {right}."
    )


def behaviour(
    report: Report, strengths: BehaviourParams, pictures: Collection[str]
) -> Iterator[str]:
    """Yield how many answers stay when images are changed in ways that should not matter."""
    if not report.behaviour:
        return
    means = {
        "flip": "mirrored",
        "shift": f"moved by {strengths.shift:.0%} right and down",
        "crop": f"{strengths.crop:.0%} of height and width cut away",
        "jpeg": f"saved as JPEG of quality {strengths.jpeg_quality}",
        "darker": f"{strengths.brightness:.0%} darker",
        "brighter": f"{strengths.brightness:.0%} brighter",
        "background": "another plain background, where it is plain",
        "watermark": f"a word over it, of {strengths.watermark:.0%} opacity",
    }
    yield "## Behaviour"
    heads = list(report.behaviour[0].shares)
    rows = [
        (means[kept.change], str(kept.images), *(f"{kept.shares[head]:.1%}" for head in heads))
        for kept in report.behaviour
    ]
    yield table(("change", "images", *(f"{head} stays" for head in heads)), rows)
    weakest = {head: min(report.behaviour, key=lambda kept: kept.shares[head]) for head in heads}
    named = "; ".join(f"{head}: {means[kept.change]}" for head, kept in weakest.items())
    yield (
        "None of these changes alters what a product is, so every answer should stay, right or "
        f"wrong. What unsettles it most: {named}."
    )
    yield from picture("behaviour.png", "Share of answers that stay, by change", pictures)


def robustness(report: Report, attack: AttackParams, pictures: Collection[str]) -> Iterator[str]:
    """Yield the accuracy that is left when images are made to mislead the network."""
    if not report.robustness:
        return
    yield "## Robustness"
    first = report.robustness[0]
    rows = [
        (name, *(f"{accuracy[head]:.1%}" for head in first.clean))
        for name, accuracy in (
            ("none", first.clean),
            *((one.attack, one.accuracy) for one in report.robustness),
        )
    ]
    yield table(("attack", *(f"{head} right" for head in first.clean)), rows)
    yield (
        f"{first.images} test images, no pixel changed by more than {first.epsilon:g} grey levels "
        "of 255, which nobody sees, by someone who has the network: in one step (FGSM), or in "
        f"{attack.steps} (PGD). Such images do not come by chance; where people gain by wrong "
        "labels, they may."
    )
    yield from picture("robustness.png", "Accuracy that is left under attack", pictures)


def classes(report: Report, pictures: Collection[str]) -> Iterator[str]:
    """Yield the figures of every class, its main confusion, and the weakest classes by name."""
    columns = ("class", "images", "precision", "recall", "F1", "most often taken for")
    for name, head in report.heads.items():
        yield f"## {name.capitalize()} by class"
        yield table(columns, map(_class_row, sorted(head.classes, key=lambda score: -score.images)))
        yield from _weakest(head)
        yield from picture(f"per_class_{name}.png", f"F1 of each {name}", pictures)
        alt = f"Which {name} is taken for which"
        yield from picture(f"confusion_{name}.png", alt, pictures)
        alt = f"The most confident mistakes of the {name}"
        yield from picture(f"mistakes_{name}.png", alt, pictures)


def attention(pictures: Collection[str]) -> Iterator[str]:
    """Yield the pictures of what answers looked at, if there are any."""
    found = [
        *picture("attention.png", "What right answers looked at", pictures),
        *picture("attention_mistakes.png", "What wrong answers looked at", pictures),
    ]
    if found:
        yield "## What answers look at"
        yield from found


def _class_row(score: ClassScore) -> tuple[str, ...]:
    figures: dict[str, float] = {
        name: value
        for measure in PER_CLASS
        for name in (measure, f"{measure}_low", f"{measure}_high")
        if (value := getattr(score, name)) is not None
    }
    cells = (with_interval(figures, measure, 2) for measure in PER_CLASS)
    confused = plain(score.confused_with)
    if confused:
        confused = f"{confused} ({score.confused_images})"
    return (plain(score.name), str(score.images), *cells, confused)


def _weakest(head: HeadReport) -> Iterator[str]:
    certain = [score for score in head.classes if score.images >= FEW_IMAGES]
    weakest = sorted(certain, key=lambda score: score.f1)[: min(WEAKEST, len(certain) // 2)]
    if weakest:
        named = ", ".join(f"{plain(score.name)} (F1 {score.f1:.2f})" for score in weakest)
        yield f"Weakest of the classes with at least {FEW_IMAGES} test images: {named}."
