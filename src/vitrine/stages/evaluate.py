"""The stage `evaluate`: the bundle, as it is served, on the test split.

TensorFlow is needed for attacks only: without them, nothing of it is loaded.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from vitrine import tracking
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import PreparedDataError
from vitrine.core.files import atomic_folder, write_json, write_text
from vitrine.core.layout import DATA, artifacts, reports
from vitrine.core.manifest import Catalogue
from vitrine.core.params import EvaluateParams
from vitrine.core.taxonomy import UNKNOWN
from vitrine.evaluation import tables
from vitrine.evaluation.answers import Answers, collect, pixels
from vitrine.evaluation.attacks import Attacked, attacked
from vitrine.evaluation.attributes import FACTS, PixelFacts, attributes_of, look_up
from vitrine.evaluation.behaviour import answers_kept, drawn
from vitrine.evaluation.card import write_card
from vitrine.evaluation.card_page import card_page
from vitrine.evaluation.pictures import write_charts, write_examples
from vitrine.evaluation.report import Circumstances, HeadReport, Report, judge
from vitrine.evaluation.slices import SLICES_FILE, SliceScore, slices_of, write_attributes
from vitrine.evaluation.wording import with_interval
from vitrine.inputs.summary import Summary
from vitrine.quality.facts import FACTS_FILE, read_columns

SPLIT = "test"


@dataclass(frozen=True, slots=True)
class EvaluateResult:
    """What was measured, and where it is written."""

    report: Report
    folder: Path

    def describe(self) -> str:
        """Return the lines that a person sees."""
        lines = []
        for name, head in self.report.heads.items():
            accuracy, macro_f1 = (
                with_interval(head.measures, measure) for measure in ("accuracy", "macro_f1")
            )
            images = len(head.answers.labels)
            line = f"{name}: accuracy {accuracy}, macro F1 {macro_f1}; {images:,} images"
            lines.append(line.replace("\u00a0", " "))
            lines.append(f"  {_tell_sure(head)}")
            if worst := self.report.worst_slices.get(name):
                lines.append(f"  {_tell_slice(worst)}")
        return "\n".join([*lines, f"Model card: {self.folder / 'card.html'}"])


def run(section: EvaluateParams) -> EvaluateResult:
    """Measure artifacts/export/ on the test shards; write reports/evaluate/ and log to the run.

    Raises:
        BundleError: There is no sound bundle.
        PreparedDataError: The shards are missing, damaged, do not fit the bundle or data/, or no
            test image has a label.
        DataError: The manifest, the facts of `validate` or an original image is missing or wrong.
        TrackingError: The tracking store does not answer.
    """
    tracking.check()
    runtime = Runtime(artifacts("export"))
    answers = collect(runtime, artifacts("prepare"), SPLIT, section.batch_size)
    if not answers.judged:
        raise PreparedDataError(
            "no image of the test split has a label, so nothing can be measured: label some and "
            "run `dvc repro`"
        )
    report = judge(answers, runtime.info, section, _circumstances(runtime, answers, section))
    folder = reports("evaluate")
    tables.write_answers(artifacts("evaluate") / "predictions.parquet", answers)
    scores = {name: head.classes for name, head in report.heads.items()}
    tables.write_per_class(folder / "per_class.csv", scores)
    tables.write_slices(folder / "slices.csv", report.slices)
    with atomic_folder(folder / "plots") as new:
        _write_curves(new, report)
        write_charts(new, report)
        load = partial(pixels, artifacts("prepare"), SPLIT, batch_size=section.batch_size)
        write_examples(new, answers, runtime, load)
    pictures = {path.name for path in (folder / "plots").glob("*.png")}
    summary = Summary.load(artifacts("prepare"))
    card = write_card(report, runtime.info, summary, section, pictures)
    write_text(folder / "card.md", card)
    write_text(folder / "card.html", card_page(card, folder))
    write_json(folder / "metrics.json", report.metrics())
    _log(report, folder, runtime.info.lineage.run_id)
    return EvaluateResult(report, folder)


def _circumstances(runtime: Runtime, answers: Answers, section: EvaluateParams) -> Circumstances:
    """Find out what test images have in common, and try changed and attacked ones."""
    listed = look_up(Catalogue(DATA).manifest_path, answers.names)
    facts = read_columns(artifacts("validate") / FACTS_FILE, FACTS)
    attributes = attributes_of(answers, listed, (PixelFacts(*row) for row in facts))
    write_attributes(artifacts("evaluate") / SLICES_FILE, answers.names, attributes)
    tried = section.behaviour.images > 0
    return Circumstances(
        products=listed.products,
        slices=slices_of(attributes, section.min_slice_images),
        behaviour=answers_kept(runtime, DATA, answers.names, section) if tried else [],
        robustness=_attack(runtime, answers, section),
    )


def _attack(runtime: Runtime, answers: Answers, section: EvaluateParams) -> list[Attacked]:
    known = np.any([answers.labels[head] != UNKNOWN for head in answers.judged], axis=0)
    labelled = [answers.names[row] for row in np.flatnonzero(known)]
    chosen = set(drawn(labelled, section.attack.images, section.seed))
    if not chosen:
        return []
    rows = [row for row, name in enumerate(answers.names) if name in chosen]
    images = pixels(artifacts("prepare"), SPLIT, chosen, section.batch_size)
    labels = {head: of_head[rows] for head, of_head in answers.labels.items()}
    stacked = np.stack([images[answers.names[row]] for row in rows])
    return attacked(runtime, stacked, labels, section)


def _write_curves(folder: Path, report: Report) -> None:
    for name, head in report.heads.items():
        tables.write_confusion(folder / f"confusion_{name}.csv", head.answers)
        tables.write_reliability(folder / f"reliability_{name}.csv", head.bins)
        tables.write_coverage(folder / f"coverage_{name}.csv", head.abstention.curve)


def _log(report: Report, folder: Path, run_id: str) -> None:
    metrics = {f"{SPLIT}/{name}": value for name, value in report.flat().items()}
    with tracking.pipeline_run(run_id) as run:
        run.log_metrics(metrics)
        run.log_folder(folder, "evaluate")


def _tell_sure(head: HeadReport) -> str:
    sure = head.abstention
    if sure.accuracy is None:
        return "no answer is sure"
    return f"sure of {sure.coverage:.1%} of the images, {sure.accuracy:.1%} of these right"


def _tell_slice(worst: SliceScore) -> str:
    how = "below the others beyond chance" if worst.weak else "which may be chance"
    return (
        f"worst slice, {worst.name}: accuracy {worst.accuracy:.3f} on {worst.images:,} images, "
        f"{how}"
    )
